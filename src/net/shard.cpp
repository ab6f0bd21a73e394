#include "net/shard.hpp"

#include <pthread.h>

#include <future>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/assert.hpp"

namespace net {

namespace {
/// What one read brings is handed on together: the more it may be, the fewer writes each of many subscribers takes when publishers are
/// ahead of us. And the longer everybody else waits for his turn: some 5 ms.
constexpr std::size_t read_buffer_bytes = 256u << 10;
}

Shard::Shard(std::string name) : name_(std::move(name)), work_(asio::make_work_guard(io_)), read_buffer_(read_buffer_bytes) {}

Shard::~Shard() { stop_and_join(); }

void Shard::start() {
    PAL_ASSERT(!thread_.joinable());
    thread_ = std::thread([this] {
        ::pthread_setname_np(::pthread_self(), name_.substr(0, 15).c_str());
        io_.run();
    });
}

void Shard::stop_and_join() {
    if (!thread_.joinable()) return;
    work_.reset();
    io_.stop();
    thread_.join();
}

void Shard::post(Task task) { asio::post(io_, std::move(task)); }

void Shard::call(Task task) {
    PAL_ASSERT(!is_current());
    std::promise<void> done;
    post([&] {
        task();
        done.set_value();
    });
    done.get_future().wait();
}

bool Shard::is_current() const { return std::this_thread::get_id() == thread_.get_id(); }

void Shard::wind_down_all() {
    winding_down_ = true;
    for (auto* resident : residents_) resident->wind_down();
}

/// From the last: who goes leaves its place to that one.
void Shard::drop_slow_readers() {
    for (auto place = residents_.size(); place-- > 0;) {
        if (place < residents_.size()) residents_[place]->drop_if_slow();
    }
}

Resident::Resident(Shard& shard) : shard_(shard) { shard_.enter(*this); }

Resident::~Resident() { shard_.leave(*this); }

void Shard::enter(Resident& resident) {
    resident.place_ = static_cast<std::uint32_t>(residents_.size());
    residents_.push_back(&resident);
}

void Shard::leave(Resident& resident) {
    for (auto* list : {&unflushed_, &flushing_}) {
        const auto place = resident.flush_place_;
        if (place < list->size() && (*list)[place] == &resident) (*list)[place] = nullptr;
    }
    if (resident.place_ == Resident::nowhere) return;  // abandoned
    residents_[resident.place_] = residents_.back();
    residents_[resident.place_]->place_ = resident.place_;
    residents_.pop_back();
}

void Shard::abandon_all() {
    while (!residents_.empty()) {
        auto& resident = *residents_.back();
        residents_.pop_back();
        resident.place_ = Resident::nowhere;
        resident.abandon();
    }
}

void Shard::flush_all() {
    std::swap(unflushed_, flushing_);
    for (std::size_t i = 0; i < flushing_.size(); ++i) {
        auto* resident = flushing_[i];
        if (!resident) continue;  // it has gone
        resident->flush_place_ = Resident::nowhere;
        resident->flush();
    }
    flushing_.clear();
}

}  // namespace net
