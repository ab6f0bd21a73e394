#include "rest/http_client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <unordered_map>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "protocol/error_codes.hpp"

namespace rest {
namespace {

using base::ErrorCode;
using base::Result;
using boost::system::error_code;
using Done = std::move_only_function<void(Result<HttpAnswer>)>;
using Wait = asio::posix::stream_descriptor::wait_type;

constexpr long connect_timeout_ms = 5'000;

/// Once for the process; curl's own set-up is not safe beside other threads that do the same.
void prepare_curl() {
    static const bool prepared = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    PAL_ASSERT(prepared);
}

/// One call under way. Kept by the client; curl holds its address.
struct Transfer {
    HttpCall call;
    Done done;
    HttpAnswer answer;
    curl_slist* headers = nullptr;
    CURL* easy = nullptr;
    char reason[CURL_ERROR_SIZE] = "";

    Transfer(HttpCall wanted, Done told) : call(std::move(wanted)), done(std::move(told)), easy(curl_easy_init()) {
        PAL_ASSERT(easy);
        for (const auto& each : call.headers) headers = curl_slist_append(headers, each.c_str());
        headers = curl_slist_append(headers, "Expect:");  // no waiting for a "100 Continue"
        set(CURLOPT_URL, call.url.c_str());
        set(CURLOPT_PROTOCOLS_STR, "http,https");
        set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        set(CURLOPT_CUSTOMREQUEST, call.method.c_str());
        set(CURLOPT_HTTPHEADER, headers);
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
        set(CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout.count()));
        set(CURLOPT_TCP_KEEPALIVE, 1L);
        set(CURLOPT_ERRORBUFFER, reason);
        set(CURLOPT_PRIVATE, this);
        if (!call.body.empty()) {
            set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
            set(CURLOPT_POSTFIELDS, call.body.data());
        }
        set(CURLOPT_WRITEDATA, this);
        set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
        set(CURLOPT_HEADERDATA, this);
        set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    }
    ~Transfer() {
        curl_easy_cleanup(easy);
        curl_slist_free_all(headers);
    }
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

private:
    template <class Value>
    void set(CURLoption option, Value value) {
        PAL_ASSERT(curl_easy_setopt(easy, option, value) == CURLE_OK);
    }
    static std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* self) {
        auto& body = static_cast<Transfer*>(self)->answer.body;
        if (body.size() + size > base::limits::http_answer_bytes_max) return 0;  // ends the transfer
        body.append(bytes, size);
        return size;
    }
    static std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* self) {
        const std::string_view line{bytes, size};
        auto& headers = static_cast<Transfer*>(self)->answer.headers;
        if (line.starts_with("HTTP/")) headers.clear();  // of an interim answer
        const auto colon = line.find(':');
        if (colon == line.npos) return size;
        std::string name{line.substr(0, colon)};
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        const auto first = std::min(line.find_first_not_of(" \t", colon + 1), line.size());
        const auto last = line.find_last_not_of(" \t\r\n");
        headers.emplace_back(std::move(name), line.substr(first, last < first ? 0 : last + 1 - first));
        return size;
    }
};

}  // namespace

std::string_view HttpAnswer::header(std::string_view name) const {
    const auto found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
    return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

/// curl says which sockets and which time to wait for, and is told when they are there. Waits outlive the client by their handlers.
class HttpClient::Core : public std::enable_shared_from_this<Core> {
public:
    explicit Core(asio::io_context& io) : io_(io), timer_(io) {
        prepare_curl();
        multi_ = curl_multi_init();
        PAL_ASSERT(multi_);
        curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Core::on_socket);
        curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Core::on_timer);
        curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    }

    void call(HttpCall call, Done done) {
        auto transfer = std::make_unique<Transfer>(std::move(call), std::move(done));
        auto* const easy = transfer->easy;
        transfers_.emplace(easy, std::move(transfer));
        curl_multi_add_handle(multi_, easy);  // sets the timer: it begins from the loop
    }

    void stop() {
        for (auto& [easy, transfer] : transfers_) curl_multi_remove_handle(multi_, easy);
        transfers_.clear();
        curl_multi_cleanup(multi_);
        multi_ = nullptr;
        timer_.cancel();
        for (auto& [fd, watched] : sockets_) forget(*watched);
        sockets_.clear();
    }

private:
    /// One of curl's sockets, borrowed. A wait under way holds it.
    struct Watched {
        Watched(asio::io_context& io, int fd) : socket(io, fd) {}
        asio::posix::stream_descriptor socket;
        bool wanted[2] = {false, false}, waiting[2] = {false, false};  // to read, to write
        bool gone = false;
    };

    static int on_socket(CURL*, curl_socket_t fd, int what, void* core, void*) {
        static_cast<Core*>(core)->watch(fd, what);
        return 0;
    }
    static int on_timer(CURLM*, long ms, void* core) {
        static_cast<Core*>(core)->wake_in(ms);
        return 0;
    }

    static void forget(Watched& watched) {
        watched.gone = true;
        watched.socket.release();
    }

    void watch(int fd, int what) {
        const auto found = sockets_.find(fd);
        if (what == CURL_POLL_REMOVE) {
            if (found == sockets_.end()) return;
            forget(*found->second);
            sockets_.erase(found);
            return;
        }
        const auto watched =
            found != sockets_.end() ? found->second : sockets_.emplace(fd, std::make_shared<Watched>(io_, fd)).first->second;
        watched->wanted[0] = (what & CURL_POLL_IN) != 0;
        watched->wanted[1] = (what & CURL_POLL_OUT) != 0;
        wait(watched, 0);
        wait(watched, 1);
    }

    void wait(const std::shared_ptr<Watched>& watched, std::size_t way) {
        if (watched->gone || !watched->wanted[way] || std::exchange(watched->waiting[way], true)) return;
        const auto fd = watched->socket.native_handle();
        watched->socket.async_wait(way == 0 ? Wait::wait_read : Wait::wait_write,
                                   [self = shared_from_this(), watched, way, fd](const error_code& error) {
                                       watched->waiting[way] = false;
                                       if (watched->gone || !self->multi_ || error == asio::error::operation_aborted) return;
                                       if (watched->wanted[way]) self->act(fd, way == 0 ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
                                       self->wait(watched, way);
                                   });
    }

    void wake_in(long ms) {
        timer_.cancel();
        if (ms < 0) return;
        timer_.expires_after(std::chrono::milliseconds{ms});
        timer_.async_wait([self = shared_from_this()](const error_code& error) {
            if (!error && self->multi_) self->act(CURL_SOCKET_TIMEOUT, 0);
        });
    }

    void act(int fd, int events) {
        int running = 0;
        curl_multi_socket_action(multi_, fd, events, &running);
        int left = 0;
        while (const auto* message = multi_ ? curl_multi_info_read(multi_, &left) : nullptr) {
            if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
        }
    }

    void finish(CURL* easy, CURLcode result) {
        curl_multi_remove_handle(multi_, easy);
        auto transfer = std::move(transfers_.extract(easy).mapped());
        if (result != CURLE_OK) {
            const std::string_view reason = transfer->reason[0] ? transfer->reason : curl_easy_strerror(result);
            return transfer->done(base::fail(ErrorCode::unavailable, "{}", reason));
        }
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        transfer->answer.status = static_cast<int>(status);
        transfer->done(std::move(transfer->answer));
    }

    asio::io_context& io_;
    asio::steady_timer timer_;
    CURLM* multi_ = nullptr;
    std::unordered_map<CURL*, std::unique_ptr<Transfer>> transfers_;
    std::unordered_map<int, std::shared_ptr<Watched>> sockets_;
};

HttpClient::HttpClient(asio::io_context& io) : core_(std::make_shared<Core>(io)) {}
HttpClient::~HttpClient() { core_->stop(); }
void HttpClient::call(HttpCall call, std::move_only_function<void(base::Result<HttpAnswer>)> done) {
    core_->call(std::move(call), std::move(done));
}

}  // namespace rest
