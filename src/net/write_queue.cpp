#include "net/write_queue.hpp"

#include "base/assert.hpp"

namespace net {

class Block {
public:
    explicit Block(std::size_t bytes) { copied_.reserve(bytes); }
    explicit Block(Bytes kept) : kept_(std::move(kept)) {}

    std::size_t room() const { return copied_.capacity() - copied_.size(); }
    std::string_view append(std::string_view bytes) {
        PAL_ASSERT(bytes.size() <= room());  // else what stands there would move
        copied_ += bytes;
        return std::string_view{copied_}.substr(copied_.size() - bytes.size());
    }
    std::string_view kept() const { return *kept_; }

    void use() { ++users_; }
    void leave() {
        if (--users_ == 0) delete this;
    }
    /// When nothing of it is to be written any more.
    void start_over_if_unused() {
        if (users_ == 1) copied_.clear();
    }

private:
    std::size_t users_ = 0;
    std::string copied_;
    Bytes kept_;
};

Piece::Piece(Block* block, std::string_view bytes) noexcept : block_(block), bytes_(bytes) { block_->use(); }

Piece::Piece(const Piece& other) noexcept : block_(other.block_), bytes_(other.bytes_) {
    if (block_) block_->use();
}

Piece::~Piece() {
    if (block_) block_->leave();
}

Piece Blocks::copy(std::string_view bytes) {
    if (open_) open_->start_over_if_unused();
    if (!open_ || open_->room() < bytes.size()) {
        clear();
        open_ = new Block{block_bytes};
        open_->use();
    }
    return {open_, open_->append(bytes)};
}

Piece Blocks::of(Bytes bytes) {
    if (bytes->size() < sparse_below) return copy(*bytes);
    auto* block = new Block{std::move(bytes)};
    return {block, block->kept()};
}

Piece Blocks::of(std::string bytes) {
    if (bytes.size() < sparse_below) return copy(bytes);
    return of(std::make_shared<const std::string>(std::move(bytes)));
}

void Blocks::clear() {
    if (auto* block = std::exchange(open_, nullptr)) block->leave();
}

void WriteQueue::start_run(const Piece& piece, bool lagging) {
    if (!last_.empty()) {
        if (lagging && last_.size() < Blocks::sparse_below) last_ = own_.copy(last_.bytes());
        if (before_.empty() || !before_.back().extend(last_)) before_.push_back(std::move(last_));
    }
    last_ = piece;
}

std::size_t WriteQueue::front(iovec* pieces, std::size_t count) const {
    std::size_t taken = 0;
    const auto take = [&](const Piece& piece) {
        pieces[taken++] = {.iov_base = const_cast<char*>(piece.bytes().data()), .iov_len = piece.size()};
    };
    for (auto each = before_.begin(); each != before_.end() && taken < count; ++each) take(*each);
    if (taken < count) take(last_);
    return taken;
}

void WriteQueue::written(std::size_t bytes) {
    bytes_ -= bytes;
    if (bytes_ == 0) return clear();
    while (!before_.empty() && bytes >= before_.front().size()) {
        bytes -= before_.front().size();
        before_.pop_front();
    }
    (before_.empty() ? last_ : before_.front()).remove_prefix(bytes);
}

void WriteQueue::clear() {
    last_ = {};
    before_.clear();
    bytes_ = 0;
    own_.clear();
}

}  // namespace net
