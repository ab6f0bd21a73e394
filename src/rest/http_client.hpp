#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/result.hpp"

namespace rest {

namespace asio = boost::asio;

struct HttpCall {
    std::string method = "GET", url;
    std::vector<std::string> headers;  // "Name: value"
    std::string body;
    std::chrono::milliseconds timeout{15'000};  // from the first byte to the last
};
struct HttpAnswer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;

    std::string_view header(std::string_view name) const;
};

/// An HTTP client whose connections are kept open and waited for through Asio; TLS certificates are verified. Shard-owned.
class HttpClient {
public:
    explicit HttpClient(asio::io_context& io);
    ~HttpClient();  // calls under way end without an answer
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    /// `done` is called once, from the loop and never from within this. Error: unavailable, when no whole answer came.
    void call(HttpCall call, std::move_only_function<void(base::Result<HttpAnswer>)> done);

private:
    class Core;
    std::shared_ptr<Core> core_;
};

}  // namespace rest
