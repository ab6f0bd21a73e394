#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace net {

namespace asio = boost::asio;
using Task = std::move_only_function<void()>;

/// Something with a socket on a shard.
class Resident {
public:
    virtual ~Resident() = default;
    /// The turn of the loop ends: what has piled up is to be written.
    virtual void flush() = 0;
    /// The shard is to end: who waits for an answer has it yet, and nobody begins anything.
    virtual void wind_down() = 0;
    /// The shard ends.
    virtual void abandon() = 0;
};

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
    /// Posts and waits for it to have run. Main thread only; not from a shard.
    void call(Task task);

    // On the shard only. ----------------------------------------------------------------------------------------------

    bool is_current() const;
    asio::io_context& io() { return io_; }
    /// Calls flush() once, after everything that is ready to run now: what piles up in a turn goes out in one write.
    void flush_soon(std::shared_ptr<Resident> resident);
    /// Residents are known from their start to their end, so that none outlives the shard by what it holds of others.
    void enter(Resident& resident) { residents_.insert(&resident); }
    void leave(Resident& resident) { residents_.erase(&resident); }
    void wind_down_all();
    bool winding_down() const { return winding_down_; }
    bool has_residents() const { return !residents_.empty(); }
    void abandon_all();
    /// One buffer for all who read on this shard: an idle connection holds none. Valid until the next read.
    std::span<char> read_buffer() { return read_buffer_; }

private:
    void flush_all();

    std::string name_;
    std::unordered_set<Resident*> residents_;  // outlives io_, with which the last of them go
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
    std::vector<std::shared_ptr<Resident>> unflushed_, flushing_;
    std::vector<char> read_buffer_;
    bool winding_down_ = false;
};

}  // namespace net
