// SPDX-License-Identifier: GPL-2.0-or-later
#include "source_node.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::helper {
namespace {

// A resolver on the machine answers thousands of names a second; one that is far away has its round trips overlapped.
constexpr std::size_t most_threads = 8;

struct HostsFile {
    std::unordered_set<std::string> names;       // every name in it that has an address of this family
    std::unordered_set<std::string> of_address;  // those of the address in question
};

HostsFile read_hosts(std::string_view text, const Address& address)
{
    HostsFile found;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        line = line.substr(0, line.find('#'));
        bool is_name = false;
        bool same_family = false;
        bool matches = false;
        for (;;) {
            const std::size_t begin = line.find_first_not_of(" \t\r");
            if (begin == std::string_view::npos) break;
            line.remove_prefix(begin);
            const std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
            line.remove_prefix(word.size());
            if (is_name) {
                if (matches) found.of_address.insert(lower_case(word));
                if (same_family) found.names.insert(lower_case(word));
            } else {
                const auto numeric = parse_address(word);
                if (!numeric) break;
                same_family = numeric->is_v6 == address.is_v6;
                matches = *numeric == address;
                is_name = true;
            }
        }
    }
    return found;
}

struct AddressInfoDeleter {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

bool resolves_to(const std::string& name, const Address& address)
{
    addrinfo hints{};
    hints.ai_family = address.is_v6 ? AF_INET6 : AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (::getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return false;
    const std::unique_ptr<addrinfo, AddressInfoDeleter> owned(list);
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        if (address.is_v6 && entry->ai_family == AF_INET6) {
            sockaddr_in6 v6{};
            std::memcpy(&v6, entry->ai_addr, sizeof v6);
            if (std::memcmp(&v6.sin6_addr, address.bytes.data(), sizeof v6.sin6_addr) == 0) return true;
        } else if (!address.is_v6 && entry->ai_family == AF_INET) {
            sockaddr_in v4{};
            std::memcpy(&v4, entry->ai_addr, sizeof v4);
            if (std::memcmp(&v4.sin_addr, address.bytes.data(), sizeof v4.sin_addr) == 0) return true;
        }
    }
    return false;
}

// What the resolver calls this address; empty: nothing. Only a hint where to look first, never believed.
std::string name_of(const Address& address)
{
    sockaddr_storage storage{};
    socklen_t size = 0;
    if (address.is_v6) {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        std::memcpy(&v6.sin6_addr, address.bytes.data(), sizeof v6.sin6_addr);
        std::memcpy(&storage, &v6, size = sizeof v6);
    } else {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        std::memcpy(&v4.sin_addr, address.bytes.data(), sizeof v4.sin_addr);
        std::memcpy(&storage, &v4, size = sizeof v4);
    }
    char host[NI_MAXHOST] = "";
    if (::getnameinfo(reinterpret_cast<const sockaddr*>(&storage), size, host, sizeof host, nullptr, 0, NI_NAMEREQD) != 0) return {};
    return lower_case(host);
}

std::string_view first_label(std::string_view name)
{
    return name.substr(0, name.find('.'));
}

// Shared with threads that may outlive the question.
struct LookUp {
    LookUp(const Address& wanted, std::vector<std::string> candidates) : address(wanted), names(std::move(candidates)) {}

    const Address address;
    const std::vector<std::string> names;
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::condition_variable changed;
    bool found = false;        // under mutex
    std::size_t finished = 0;  // under mutex: threads

    bool is_decided()
    {
        const std::lock_guard lock(mutex);
        return found;
    }

    void try_name(const std::string& name)
    {
        if (!resolves_to(name, address)) return;
        const std::lock_guard lock(mutex);
        found = true;
        changed.notify_all();
    }

    void run(bool with_hint)
    {
        if (with_hint) {
            const std::string hint = name_of(address);
            for (const std::string& name : names)
                if (!hint.empty() && first_label(lower_case(name)) == first_label(hint)) try_name(name);
        }
        for (std::size_t i = next++; i < names.size() && !is_decided(); i = next++) try_name(names[i]);
        const std::lock_guard lock(mutex);
        ++finished;
        changed.notify_all();
    }
};

Belongs ask_resolver(const Address& address, std::vector<std::string> names, std::chrono::milliseconds patience)
{
    const std::size_t threads = std::min(most_threads, names.size() + 1);
    const auto look_up = std::make_shared<LookUp>(address, std::move(names));
    std::size_t started = 0;
    try {
        for (; started < threads; ++started)
            std::thread([look_up, with_hint = started == 0] { look_up->run(with_hint); }).detach();
    } catch (const std::system_error&) {
        if (started == 0) return Belongs::not_known_in_time;
    }
    std::unique_lock lock(look_up->mutex);
    const bool over = look_up->changed.wait_for(lock, patience, [&] { return look_up->found || look_up->finished == started; });
    if (look_up->found) return Belongs::yes;
    return over ? Belongs::no : Belongs::not_known_in_time;
}

}  // namespace

Belongs belongs_to(const Address& address, const std::vector<std::string>& hosts, std::string_view hosts_file,
                   std::chrono::milliseconds patience)
{
    std::vector<std::string> names;
    for (const std::string& host : hosts) {
        const auto numeric = parse_address(host);
        if (!numeric)
            names.push_back(host);
        else if (*numeric == address)
            return Belongs::yes;
    }
    const HostsFile file = read_hosts(hosts_file, address);
    std::vector<std::string> unknown;
    for (std::string& name : names) {
        const std::string key = lower_case(name);
        if (file.of_address.contains(key)) return Belongs::yes;
        if (!file.names.contains(key)) unknown.push_back(std::move(name));
    }
    return unknown.empty() ? Belongs::no : ask_resolver(address, std::move(unknown), patience);
}

}  // namespace slurm_adopt::helper
