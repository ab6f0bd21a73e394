#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <sys/uio.h>

#include "base/fifo.hpp"

/// What connections have yet to write. Why it is as it is: docs/decisions/0011. All shard-owned: nothing here is counted by atomics.
namespace net {

using Bytes = std::shared_ptr<const std::string>;

/// Bytes that stay where they are while a piece of them is somewhere to be written.
class Block;

/// A run of bytes in a block.
class Piece {
public:
    Piece() = default;
    Piece(const Piece& other) noexcept;
    Piece(Piece&& other) noexcept : block_(std::exchange(other.block_, nullptr)), bytes_(std::exchange(other.bytes_, {})) {}
    Piece& operator=(Piece other) noexcept {
        std::swap(block_, other.block_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Piece();

    std::string_view bytes() const { return bytes_; }
    std::size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }

    /// Takes in what stands right behind it in the same block; false when `next` does not.
    bool extend(const Piece& next) {
        if (block_ != next.block_ || bytes_.data() + bytes_.size() != next.bytes_.data()) return false;
        bytes_ = {bytes_.data(), bytes_.size() + next.bytes_.size()};
        return true;
    }
    void remove_prefix(std::size_t bytes) { bytes_.remove_prefix(bytes); }

private:
    friend class Blocks;
    Piece(Block* block, std::string_view bytes) noexcept;

    Block* block_ = nullptr;
    std::string_view bytes_;
};

/// Copies what is to be written into one block after the other: what was copied in a row stands in a row, and those who are to write
/// all of it write it as one piece.
class Blocks {
public:
    /// A piece that is smaller than this part of a block keeps alive much more than itself.
    static constexpr std::size_t block_bytes = 32u << 10, sparse_below = block_bytes / 4;

    Blocks() = default;
    Blocks(Blocks&&) = delete;
    ~Blocks() { clear(); }

    /// At most block_bytes.
    Piece copy(std::string_view bytes);
    /// Copied, unless that is much.
    Piece of(Bytes bytes);
    Piece of(std::string bytes);
    void clear();

private:
    Block* open_ = nullptr;
};

/// In order, what one connection has yet to write. Holds no memory while that is nothing, nor for a single run.
class WriteQueue {
public:
    bool empty() const { return last_.empty(); }
    std::size_t bytes() const { return bytes_; }

    /// `lagging`: it may stay for long.
    void push(const Piece& piece, bool lagging) {
        bytes_ += piece.size();
        if (!last_.extend(piece)) start_run(piece, lagging);
    }
    /// The first of it; how many of `pieces` that took.
    std::size_t front(iovec* pieces, std::size_t count) const;
    void written(std::size_t bytes);
    void clear();

private:
    void start_run(const Piece& piece, bool lagging);

    base::Fifo<Piece> before_;
    Piece last_;  // the run that grows
    std::size_t bytes_ = 0;
    Blocks own_;  // for sparse pieces of what stays for long
};

}  // namespace net
