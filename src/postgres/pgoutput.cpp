#include "postgres/pgoutput.hpp"

#include <concepts>

#include <boost/endian/conversion.hpp>

namespace postgres::pgoutput {
namespace {

/// Reads big-endian integers and texts off the front. After a read past the end it gives zeroes and `ok` stays false.
class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    template <std::integral T>
    T integer() {
        const auto taken = bytes(sizeof(T));
        if (taken.empty()) return 0;
        return boost::endian::endian_load<T, sizeof(T), boost::endian::order::big>(
            reinterpret_cast<const unsigned char*>(taken.data()));
    }
    char byte() {
        const auto taken = bytes(1);
        return taken.empty() ? '\0' : taken.front();
    }
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

/// Tuples in the memory of earlier ones.
class Tuples {
public:
    explicit Tuples(std::vector<Tuple>& spare) : spare_(spare) {}

    Tuple read(Reader& in) {
        Tuple result;
        if (!spare_.empty()) {
            result = std::move(spare_.back());
            spare_.pop_back();
        }
        result.resize(in.count<std::int16_t>(1));
        for (auto& each : result) each = column(in);
        return result;
    }

private:
    std::vector<Tuple>& spare_;
};

Insert insert(Reader& in, Tuples tuples) {
    Insert result{.relation = in.integer<std::uint32_t>()};
    in.expect(in.byte() == 'N');
    result.row = tuples.read(in);
    return result;
}

Update update(Reader& in, Tuples tuples) {
    Update result{.relation = in.integer<std::uint32_t>()};
    char part = in.byte();
    if (part == 'K' || part == 'O') {
        result.old_is_key = part == 'K';
        result.old = tuples.read(in);
        part = in.byte();
    }
    in.expect(part == 'N');
    result.row = tuples.read(in);
    return result;
}

Delete remove(Reader& in, Tuples tuples) {
    Delete result{.relation = in.integer<std::uint32_t>()};
    const char part = in.byte();
    in.expect(part == 'K' || part == 'O');
    result.old_is_key = part == 'K';
    result.old = tuples.read(in);
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

/// False when no message is of this kind.
bool read(char kind, Reader& in, Tuples tuples, Message& message) {
    switch (kind) {
        case 'B': message = begin(in); return true;
        case 'C': message = commit(in); return true;
        case 'O': message = origin(in); return true;
        case 'R': message = relation(in); return true;
        case 'Y': message = type(in); return true;
        case 'I': message = insert(in, tuples); return true;
        case 'U': message = update(in, tuples); return true;
        case 'D': message = remove(in, tuples); return true;
        case 'T': message = truncate(in); return true;
        case 'M': message = logical_message(in); return true;
        default: return false;
    }
}

std::optional<StreamMessage> read_stream(char kind, Reader& in) {
    switch (kind) {
        case 'S': return StreamStart{.xid = in.integer<std::uint32_t>(), .first = in.byte() != 0};
        case 'E': return StreamStop{};
        case 'c': return StreamCommit{.xid = in.integer<std::uint32_t>(), .commit = commit(in)};
        case 'A': return StreamAbort{.xid = in.integer<std::uint32_t>(), .subxid = in.integer<std::uint32_t>()};
        default: return std::nullopt;
    }
}

/// Takes the memory of the tuples out of a message that nobody needs any more.
void salvage(Message& message, std::vector<Tuple>& spare) {
    if (auto* insert = std::get_if<Insert>(&message)) spare.push_back(std::move(insert->row));
    if (auto* removed = std::get_if<Delete>(&message)) spare.push_back(std::move(removed->old));
    if (auto* update = std::get_if<Update>(&message)) {
        if (update->old) spare.push_back(*std::move(update->old));
        spare.push_back(std::move(update->row));
    }
}

auto unknown(char kind) {
    return fail(ErrorCode::invalid_body, "pgoutput: no message of type 0x{:02x} is known", static_cast<unsigned char>(kind));
}
auto wrong_length(char kind) {
    return fail(ErrorCode::invalid_body, "pgoutput: a message of type {} has the wrong length", kind);
}

void append(std::string& out, std::uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

}  // namespace

Result<const Message*> Decoder::decode(std::string_view bytes) {
    salvage(message_, spare_);
    Reader in{bytes};
    const char kind = in.byte();
    if (!read(kind, in, Tuples{spare_}, message_)) {
        message_ = Begin{};
        return unknown(kind);
    }
    if (!in.ended()) return wrong_length(kind);
    return &message_;
}

Result<Message> decode(std::string_view bytes) {
    Decoder decoder;
    auto message = decoder.decode(bytes);
    if (!message) return std::unexpected(message.error());
    return **message;
}

Result<StreamMessage> decode_stream(std::string_view bytes) {
    Reader in{bytes};
    const char kind = in.byte();
    const auto message = read_stream(kind, in);
    if (!message) return unknown(kind);
    if (!in.ended()) return wrong_length(kind);
    return *message;
}

std::string encode(const Begin& begin) {
    std::string out = "B";
    append(out, begin.commit.value, 8);
    append(out, static_cast<std::uint64_t>(begin.commit_time_us), 8);
    append(out, begin.xid, 4);
    return out;
}

std::string encode(const Commit& commit) {
    std::string out{"C\0", 2};
    append(out, commit.commit.value, 8);
    append(out, commit.end.value, 8);
    append(out, static_cast<std::uint64_t>(commit.commit_time_us), 8);
    return out;
}

}  // namespace postgres::pgoutput
