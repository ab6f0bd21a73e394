#pragma once

#include <functional>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace net {

namespace asio = boost::asio;
using Task = std::move_only_function<void()>;

/// One core's world: a thread, its io_context, and all that lives on it. Construct and destroy on the main thread;
/// whatever lives on the shard is made, used and destroyed by tasks posted to it.
class Shard {
public:
    explicit Shard(std::string name);
    ~Shard();
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    void start();                    // main thread
    void stop_and_join();            // main thread; what is posted and not run yet is dropped
    void post(Task task);            // any thread; FIFO per sender
    bool is_current() const;
    asio::io_context& io() { return io_; }

    /// Posts and waits for it to have run. Main thread only; not from a shard.
    void call(Task task);

private:
    std::string name_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};

}  // namespace net
