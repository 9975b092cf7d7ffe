// SPDX-License-Identifier: GPL-2.0-or-later
// One HTTP/1.1 client for one server, by libcurl: no redirects, no proxies, no other protocols, nothing of the environment
// or of anybody's home; TLS 1.2 or newer, and only to the host that it was meant for.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rest/json_text.h"
#include "rest/rest_url.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::rest {

// The authorities that are trusted; an empty file: the system's.
struct Authorities {
    std::string file;
    std::string pem;  // what was in it
};

// Errors of get() and next(). ErrorCode::timed_out, closed: nobody answers. ErrorCode::untrusted: TLS. ErrorCode::protocol:
// no HTTP, or an answer that ends early. ErrorCode::system: libcurl cannot be used.
class Http : public Source {
public:
    [[nodiscard]] static Result<Done> set_up();
    Http(RestUrl url, Authorities authorities, Deadline deadline);
    // Nothing is given back: libcurl would wait here for a name server. The process ends soon.
    ~Http() override = default;

    // What every request from now on has, "Name: value".
    void use_headers(const std::vector<std::string>& headers);

    // Asks, and waits for the beginning of the answer. Returned is its status; what next() gives is its body. An answer
    // before that is forgotten.
    [[nodiscard]] Result<long> get(const std::string& path);
    [[nodiscard]] Result<std::string_view> next() override;

    // The time of the answer by the server's clock (Date), in seconds since 1970, where it was told.
    [[nodiscard]] std::optional<std::int64_t> date() const { return date_; }

private:
    static std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* http);
    static std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* http);
    void configure();
    void configure_tls();
    // Lets libcurl work until something has come, or the deadline.
    [[nodiscard]] Result<Done> work();
    [[nodiscard]] Error time_is_over() const;
    [[nodiscard]] Error failure(CURLcode code) const;

    RestUrl url_;
    Authorities authorities_;
    Deadline deadline_;
    CURLM* multi_ = nullptr;
    CURL* easy_ = nullptr;
    curl_slist* headers_ = nullptr;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
    std::string received_;
    std::string given_;  // to the caller of next()
    bool has_head_ = false;
    std::optional<CURLcode> end_;
    std::optional<std::int64_t> date_;
};

}  // namespace slurm_adopt::rest
