#include "postgres/pgoutput.hpp"

#include <bit>
#include <concepts>

namespace postgres::pgoutput {
namespace {

/// Reads big-endian integers and texts off the front. After a read past the end it gives zeroes and `ok` stays false.
class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    template <std::integral T>
    T integer() {
        std::make_unsigned_t<T> value = 0;
        for (const char byte : bytes(sizeof(T)))
            value = static_cast<std::make_unsigned_t<T>>(std::uint64_t{value} << 8 | static_cast<unsigned char>(byte));
        return static_cast<T>(value);
    }
    char byte() { return integer<char>(); }
    Lsn lsn() { return {integer<std::uint64_t>()}; }

    std::string_view bytes(std::size_t count) {
        if (count > rest_.size()) return give_up();
        const auto taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    /// Up to a NUL, which is taken too.
    std::string_view text() {
        const auto end = rest_.find('\0');
        if (end == rest_.npos) return give_up();
        const auto taken = bytes(end);
        rest_.remove_prefix(1);
        return taken;
    }
    /// How many of something come now, each of at least `bytes_min`: no more than there can be.
    template <std::signed_integral T>
    std::size_t count(std::size_t bytes_min) {
        const auto value = integer<T>();
        if (value >= 0 && static_cast<std::size_t>(value) <= rest_.size() / bytes_min) return static_cast<std::size_t>(value);
        give_up();
        return 0;
    }
    void expect(bool condition) {
        if (!condition) give_up();
    }
    bool ok() const { return ok_; }
    bool ended() const { return ok_ && rest_.empty(); }

private:
    std::string_view give_up() {
        ok_ = false;
        rest_ = {};
        return {};
    }
    std::string_view rest_;
    bool ok_ = true;
};

Begin begin(Reader& in) {
    return {.commit = in.lsn(), .commit_time_us = in.integer<std::int64_t>(), .xid = in.integer<std::uint32_t>()};
}

Commit commit(Reader& in) {
    in.integer<std::int8_t>();  // flags, none yet
    return {.commit = in.lsn(), .end = in.lsn(), .commit_time_us = in.integer<std::int64_t>()};
}

Origin origin(Reader& in) { return {.commit = in.lsn(), .name = in.text()}; }

Relation relation(Reader& in) {
    Relation result{.oid = in.integer<std::uint32_t>(), .schema = in.text(), .name = in.text(), .replica_identity = in.byte()};
    const auto count = in.count<std::int16_t>(10);
    result.columns.reserve(count);
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        result.columns.push_back({.is_key = (in.byte() & 1) != 0, .name = in.text(), .type = in.integer<std::uint32_t>(),
                                  .type_modifier = in.integer<std::int32_t>()});
    }
    return result;
}

Type type(Reader& in) { return {.oid = in.integer<std::uint32_t>(), .schema = in.text(), .name = in.text()}; }

Column column(Reader& in) {
    Column result{.kind = Column::Kind{in.byte()}};
    switch (result.kind) {
        case Column::Kind::null:
        case Column::Kind::unchanged_toast: break;
        case Column::Kind::text:
        case Column::Kind::binary: result.value = in.bytes(in.count<std::int32_t>(1)); break;
        default: in.expect(false);
    }
    return result;
}

Tuple tuple(Reader& in) {
    Tuple result;
    const auto count = in.count<std::int16_t>(1);
    result.reserve(count);
    for (std::size_t i = 0; i < count && in.ok(); ++i) result.push_back(column(in));
    return result;
}

Insert insert(Reader& in) {
    Insert result{.relation = in.integer<std::uint32_t>()};
    in.expect(in.byte() == 'N');
    result.row = tuple(in);
    return result;
}

Update update(Reader& in) {
    Update result{.relation = in.integer<std::uint32_t>()};
    char part = in.byte();
    if (part == 'K' || part == 'O') {
        result.old_is_key = part == 'K';
        result.old = tuple(in);
        part = in.byte();
    }
    in.expect(part == 'N');
    result.row = tuple(in);
    return result;
}

Delete remove(Reader& in) {
    Delete result{.relation = in.integer<std::uint32_t>()};
    const char part = in.byte();
    in.expect(part == 'K' || part == 'O');
    result.old_is_key = part == 'K';
    result.old = tuple(in);
    return result;
}

Truncate truncate(Reader& in) {
    const auto count = in.count<std::int32_t>(4);
    const auto options = in.byte();
    Truncate result{.cascade = (options & 1) != 0, .restart_identity = (options & 2) != 0};
    for (std::size_t i = 0; i < count && in.ok(); ++i) result.relations.push_back(in.integer<std::uint32_t>());
    return result;
}

LogicalMessage logical_message(Reader& in) {
    LogicalMessage result{.transactional = (in.byte() & 1) != 0, .lsn = in.lsn(), .prefix = in.text()};
    result.content = in.bytes(in.count<std::int32_t>(1));
    return result;
}

std::optional<Message> read(char kind, Reader& in) {
    switch (kind) {
        case 'B': return begin(in);
        case 'C': return commit(in);
        case 'O': return origin(in);
        case 'R': return relation(in);
        case 'Y': return type(in);
        case 'I': return insert(in);
        case 'U': return update(in);
        case 'D': return remove(in);
        case 'T': return truncate(in);
        case 'M': return logical_message(in);
        default: return std::nullopt;
    }
}

}  // namespace

Result<Message> decode(std::string_view bytes) {
    Reader in{bytes};
    const char kind = in.byte();
    auto message = read(kind, in);
    if (!message)
        return fail(ErrorCode::invalid_body, "pgoutput: no message of type 0x{:02x} is known", static_cast<unsigned char>(kind));
    if (!in.ended()) return fail(ErrorCode::invalid_body, "pgoutput: a message of type {} has the wrong length", kind);
    return *std::move(message);
}

}  // namespace postgres::pgoutput
