#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "base/budget.hpp"
#include "base/resource_limits.hpp"
#include "net/write_queue.hpp"

namespace net {

namespace asio = boost::asio;
using Task = std::move_only_function<void()>;

class Shard;

/// Something with a socket on a shard: known there from its making to its end, so that none outlives the shard by what it holds of
/// others.
class Resident {
public:
    explicit Resident(Shard& shard);
    virtual ~Resident();
    Resident(const Resident&) = delete;
    Resident& operator=(const Resident&) = delete;
    /// The turn of the loop ends: what has piled up is to be written.
    virtual void flush() = 0;
    /// The shard is to end: who waits for an answer has it yet, and nobody begins anything.
    virtual void wind_down() = 0;
    /// The shard ends.
    virtual void abandon() = 0;
    /// The process has too little memory: goes if much waits for a peer that does not read.
    virtual void drop_if_slow() {}

protected:
    Shard& shard_;

private:
    friend class Shard;
    static constexpr std::uint32_t nowhere = UINT32_MAX;
    std::uint32_t place_ = nowhere, flush_place_ = nowhere;  // in the shard's lists
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

    /// Before start(): what may wait to be written to single clients together, and for how long to one that takes nothing.
    void bound_writes(std::size_t answers_bytes, std::chrono::seconds unread_for_max) {
        answers_ = base::Budget{answers_bytes, answers_part};
        unread_for_max_ = unread_for_max;
    }

    // On the shard only. ----------------------------------------------------------------------------------------------

    bool is_current() const;
    asio::io_context& io() { return io_; }
    /// Calls flush() once, after everything that is ready to run now: what piles up in a turn goes out in one write.
    void flush_soon(Resident& resident) {
        if (resident.flush_place_ != Resident::nowhere) return;
        if (unflushed_.empty()) post([this] { flush_all(); });
        resident.flush_place_ = static_cast<std::uint32_t>(unflushed_.size());
        unflushed_.push_back(&resident);
    }
    /// Where what connections of this shard write is put.
    Blocks& blocks() { return blocks_; }
    base::Budget& answers() { return answers_; }
    std::chrono::seconds unread_for_max() const { return unread_for_max_; }
    void drop_slow_readers();
    void wind_down_all();
    bool winding_down() const { return winding_down_; }
    bool has_residents() const { return !residents_.empty(); }
    void abandon_all();
    /// One buffer for all who read on this shard: an idle connection holds none. Valid until the next read.
    std::span<char> read_buffer() { return read_buffer_; }

private:
    friend class Resident;
    static constexpr std::size_t answers_part = 4;  // one client may have a fifth: the replay of a whole log must fit
    void enter(Resident& resident);
    void leave(Resident& resident);
    void flush_all();

    std::string name_;
    std::vector<Resident*> residents_;              // outlive io_, with which the last of them go
    std::vector<Resident*> unflushed_, flushing_;  // likewise
    Blocks blocks_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
    std::vector<char> read_buffer_;
    base::Budget answers_{256u << 20, answers_part};
    std::chrono::seconds unread_for_max_ = base::limits::unread_for_max;
    bool winding_down_ = false;
};

}  // namespace net
