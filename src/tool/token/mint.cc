// SPDX-License-Identifier: GPL-2.0-or-later
#include "jwt/mint.h"

#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <nlohmann/json.hpp>
#include <variant>

#include "jwt/parse.h"
#include "slurm_adopt/text.h"
#include "slurm_adopt/users.h"
#include "token/actions.h"
#include "token/token_input.h"
#include "token/token_output.h"

namespace slurm_adopt::tool {
namespace {

Result<jwt::Order> order_for(const MintOptions& options)
{
    jwt::Order order;
    order.user = options.user;
    order.user_claim = options.user_claim;
    order.lifespan = options.lifespan;
    order.now = ::time(nullptr);
    order.detail = options.detail;
    if (options.detail != jwt::Detail::name) {
        auto identity = jwt::identity_of(options.user);
        if (!identity) return std::move(identity).error();
        order.identity = std::move(identity).value();
    }
    return order;
}

nlohmann::json summary(const jwt::Order& order)
{
    return {{"user", order.user},
            {"user_claim", order.user_claim},
            {"iat", order.now},
            {"exp", order.now + order.lifespan.count()}};
}

// A new token takes the place of an old one, and of nothing else: not of the key, not of a configuration.
Result<Done> may_be_replaced(const std::string& path)
{
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) return Done{};
    const auto old = read_token(path);
    if (old && std::holds_alternative<jwt::Parts>(jwt::split_token(old.value()))) return Done{};
    return Error{ErrorCode::refused, 0, "output " + path + ": there is a file that holds no token; name another, or remove it"};
}

}  // namespace

Result<jwt::Secret> read_key(const KeyOptions& options)
{
    auto owner = find_user(options.owner);
    if (!owner) return std::move(owner).error();
    if (!owner.value())
        return Error{ErrorCode::refused, 0, "there is no user " + printable(options.owner) + " that a key could belong to"};
    return jwt::read_key_file(options.file, options.format, owner.value()->uid);
}

Exit mint_token(const MintOptions& options, const Output& output)
{
    const auto impossible = [&](const Error& error) {
        output.error(error.context);
        return Exit::impossible;
    };
    if (!is_open(STDOUT_FILENO)) {
        output.error("stdout is closed; nothing was made");
        return Exit::impossible;
    }
    const auto order = order_for(options);
    if (!order) return impossible(order.error());
    if (auto free = may_be_replaced(options.output); !free) return impossible(free.error());
    auto key = read_key(options.key);
    if (!key) return impossible(key.error());
    auto token = jwt::mint(order.value(), key.value());
    if (!token) return impossible(token.error());

    const std::string line = (options.for_shell ? "SLURM_JWT=" : "") + token.value() + "\n";
    nlohmann::json document = summary(order.value());
    if (!options.output.empty()) {
        if (auto written = write_private_file(options.output, line); !written) return impossible(written.error());
        document["output"] = options.output;
        if (output.json) output.document(document);
        return Exit::yes;
    }
    if (output.json) {
        document["token"] = token.value();
        output.document(document);
        return Exit::yes;
    }
    if (auto written = write_stdout(line); !written) return impossible(written.error());
    return Exit::yes;
}

}  // namespace slurm_adopt::tool
