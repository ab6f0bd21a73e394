#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace net {

class HttpSession;

/// An answer that takes its time, and may come in pieces: the body of the HttpResponse it is put into. Whoever made it writes, once
/// it is the answer. Shard-owned; of the shard whose session answers with it.
class HttpStream {
public:
    /// The head goes out before the first piece; the body is chunked then.
    void write(std::string_view piece);
    /// The last of it, and the end. Without a piece before, the answer goes out whole.
    void end(std::string_view last = {});

    /// Called when the client waits no longer: not after end(), and not from within a call to here.
    std::move_only_function<void()> on_gone;

private:
    friend class HttpSession;
    std::weak_ptr<HttpSession> session_;  // that it is the answer of
};

}  // namespace net
