// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest/http.h"

#include <utility>

#include "slurm_adopt/text.h"

namespace slurm_adopt::rest {
namespace {

long status_of(CURL* easy)
{
    long status = 0;
    (void)::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

// With TLS as well, where there is to be any.
bool is_connected(CURL* easy)
{
    curl_off_t microseconds = 0;
    (void)::curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &microseconds);
    return microseconds > 0;
}

bool is_about_tls(CURLcode code)
{
    // Not in a switch: libcurl's releases have different ones.
    for (const CURLcode one : {CURLE_SSL_CONNECT_ERROR, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_CERTPROBLEM,
                               CURLE_SSL_CIPHER, CURLE_PEER_FAILED_VERIFICATION, CURLE_USE_SSL_FAILED, CURLE_SSL_ENGINE_INITFAILED,
                               CURLE_SSL_CACERT_BADFILE, CURLE_SSL_SHUTDOWN_FAILED, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR,
                               CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS})
        if (code == one) return true;
    return false;
}

}  // namespace

Result<Done> Http::set_up()
{
    if (::curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return Error{ErrorCode::system, 0, "libcurl cannot be used"};
    return Done{};
}

Http::Http(RestUrl url, Authorities authorities, Deadline deadline)
    : url_(std::move(url)),
      authorities_(std::move(authorities)),
      deadline_(deadline),
      multi_(::curl_multi_init()),
      easy_(::curl_easy_init())
{
    if (multi_ != nullptr && easy_ != nullptr) configure();
}

void Http::configure()
{
    const auto set = [this](CURLoption option, auto value) { (void)::curl_easy_setopt(easy_, option, value); };
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, "");  // none, whatever the environment says
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_USERAGENT, "slurm-adopt-rest");
#if LIBCURL_VERSION_NUM >= 0x075500  // 7.85
    set(CURLOPT_PROTOCOLS_STR, url_.is_encrypted ? "https" : "http");
#else
    set(CURLOPT_PROTOCOLS, static_cast<long>(url_.is_encrypted ? CURLPROTO_HTTPS : CURLPROTO_HTTP));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700  // 7.87
    set(CURLOPT_QUICK_EXIT, 1L);  // no waiting for a name server that does not answer
#endif
    if (!url_.socket_path.empty()) set(CURLOPT_UNIX_SOCKET_PATH, url_.socket_path.c_str());
    if (url_.is_encrypted) configure_tls();
    set(CURLOPT_ERRORBUFFER, error_text_.data());
    set(CURLOPT_WRITEFUNCTION, &Http::take_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_HEADERFUNCTION, &Http::take_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
}

void Http::configure_tls()
{
    (void)::curl_easy_setopt(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    (void)::curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)::curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 2L);
    if (authorities_.file.empty()) return;
#if LIBCURL_VERSION_NUM >= 0x074d00  // 7.77
    curl_blob blob{.data = authorities_.pem.data(), .len = authorities_.pem.size(), .flags = CURL_BLOB_NOCOPY};
    (void)::curl_easy_setopt(easy_, CURLOPT_CAINFO_BLOB, &blob);
#else
    (void)::curl_easy_setopt(easy_, CURLOPT_CAINFO, authorities_.file.c_str());  // which nobody has to be able to read
#endif
    (void)::curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);  // these, and no others
}

void Http::use_headers(const std::vector<std::string>& headers)
{
    curl_slist* list = nullptr;
    for (const std::string& header : headers) {
        curl_slist* const longer = ::curl_slist_append(list, header.c_str());
        if (longer != nullptr) list = longer;
    }
    (void)::curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, list);
    ::curl_slist_free_all(std::exchange(headers_, list));
}

Result<long> Http::get(const std::string& path)
{
    if (multi_ == nullptr || easy_ == nullptr) return Error{ErrorCode::system, 0, "libcurl cannot be used"};
    (void)::curl_multi_remove_handle(multi_, easy_);
    received_.clear();
    has_head_ = false;
    end_.reset();
    date_.reset();
    error_text_.front() = '\0';
    (void)::curl_easy_setopt(easy_, CURLOPT_URL, (url_.base + path).c_str());
    (void)::curl_multi_add_handle(multi_, easy_);
    while (!has_head_ && !end_)
        if (auto worked = work(); !worked) return std::move(worked).error();
    if (!has_head_) return failure(*end_);
    return status_of(easy_);
}

Result<std::string_view> Http::next()
{
    given_.clear();
    while (received_.empty() && !end_)
        if (auto worked = work(); !worked) return std::move(worked).error();
    if (received_.empty() && *end_ != CURLE_OK) return failure(*end_);
    given_.swap(received_);
    return std::string_view(given_);
}

Result<Done> Http::work()
{
    if (deadline_.passed()) return time_is_over();
    int running = 0;
    if (::curl_multi_perform(multi_, &running) != CURLM_OK) return Error{ErrorCode::system, 0, "libcurl cannot go on"};
    int left = 0;
    while (const CURLMsg* message = ::curl_multi_info_read(multi_, &left))
        if (message->msg == CURLMSG_DONE) end_ = message->data.result;
    if (!end_ && received_.empty()) (void)::curl_multi_poll(multi_, nullptr, 0, deadline_.poll_timeout(), nullptr);
    return Done{};
}

Error Http::time_is_over() const
{
    const char* what = url_.is_encrypted ? "there is no connection, or no TLS, yet" : "there is no connection yet";
    if (is_connected(easy_)) what = "it is connected, but has not answered";
    if (has_head_) what = "its answer has begun, but not ended";
    return Error{ErrorCode::timed_out, 0, std::string("the time is over: ") + what};
}

Error Http::failure(CURLcode code) const
{
    const char* const plain = ::curl_easy_strerror(code);
    std::string text = printable(error_text_.front() != '\0' ? error_text_.data() : plain);
    if (is_about_tls(code)) return Error{ErrorCode::untrusted, 0, "TLS: " + text};
    const bool is_no_http = has_head_ || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY ||
                            code == CURLE_PARTIAL_FILE;
    return Error{is_no_http ? ErrorCode::protocol : ErrorCode::closed, 0, text};
}

std::size_t Http::take_body(char* bytes, std::size_t size, std::size_t count, void* http)
{
    auto* self = static_cast<Http*>(http);
    self->has_head_ = true;
    self->received_.append(bytes, size * count);
    return size * count;
}

std::size_t Http::take_header(char* bytes, std::size_t size, std::size_t count, void* http)
{
    auto* self = static_cast<Http*>(http);
    const std::string_view line(bytes, size * count);
    constexpr std::string_view date = "date:";
    if (lower_case(line.substr(0, date.size())) == date) {
        const std::string text(line.substr(date.size()));
        const std::time_t time = ::curl_getdate(text.c_str(), nullptr);
        if (time > 0) self->date_ = time;
    }
    // The line after the last one; 1xx is only a promise of another answer.
    constexpr long first_final = 200;
    if (line == "\r\n" || line == "\n") self->has_head_ = status_of(self->easy_) >= first_final;
    return size * count;
}

}  // namespace slurm_adopt::rest
