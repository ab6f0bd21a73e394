#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "fuzz.hpp"
#include "postgres/pgoutput.test.hpp"
#include "postgres/transaction_assembler.hpp"

using postgres::TransactionAssembler;
using postgres::pgoutput::Bytes;
namespace pgoutput = postgres::pgoutput;

namespace {

using Texts = std::vector<std::string>;

/// The input's bytes one after the other, and zeroes behind them.
class Choices {
public:
    explicit Choices(std::string_view bytes) : bytes_(bytes) {}
    bool ended() const { return bytes_.empty(); }
    std::size_t below(std::size_t bound) {
        if (bytes_.empty()) return 0;
        const auto byte = static_cast<unsigned char>(bytes_.front());
        bytes_.remove_prefix(1);
        return byte % bound;
    }

private:
    std::string_view bytes_;
};

/// A server with a few transactions in progress at once. It says what a consumer is to be given, and sends it in pieces.
class Server {
public:
    explicit Server(Choices choices) : choices_(choices) {}

    Texts sent, expected;

    void run() {
        while (!choices_.ended()) step();
        close_piece();
    }

private:
    struct Change {
        std::uint32_t xid;
        std::string message;
    };
    struct Transaction {
        std::vector<std::uint32_t> open;  // subtransactions, the innermost last; the first is the transaction itself
        std::vector<Change> changes;
    };

    void step() {
        const auto number = choices_.below(3);
        switch (choices_.below(8)) {
            case 0: return begin_subtransaction(number);
            case 1: return end_subtransaction(number, /*rolls_back=*/true);
            case 2: return end_subtransaction(number, /*rolls_back=*/false);
            case 3: return commit(number);
            case 4: return roll_back(number);
            case 5: return plain();
            case 6: return close_piece();
            default: return change(number);
        }
    }
    void open_piece(std::size_t number) {
        auto& transaction = transactions_[number];
        if (piece_ == number && !transaction.open.empty()) return;
        close_piece();
        const bool first = transaction.open.empty();
        if (first) transaction.open.push_back(++last_xid_);
        sent.push_back(Bytes('S').i32(transaction.open.front()).i8(first));
        piece_ = number;
    }
    void close_piece() {
        if (!std::exchange(piece_, std::nullopt)) return;
        sent.push_back(Bytes('E'));
    }
    void change(std::size_t number) {
        open_piece(number);
        auto& transaction = transactions_[number];
        const auto xid = transaction.open.back();
        const auto size = choices_.below(256);
        std::string message = choices_.below(8) == 0
                                  ? std::string{Bytes('R').i32(5).text("public").text(std::string(size, 't')).c('d').i16(0)}
                                  : std::string{Bytes('I').i32(5).c('N').i16(1).column(std::string(size, 'x'))};
        sent.push_back(Bytes(message[0]).i32(xid).raw(std::string_view{message}.substr(1)));
        transaction.changes.push_back({xid, std::move(message)});
    }
    void begin_subtransaction(std::size_t number) {
        open_piece(number);
        transactions_[number].open.push_back(++last_xid_);
    }
    void end_subtransaction(std::size_t number, bool rolls_back) {
        auto& transaction = transactions_[number];
        if (transaction.open.size() < 2) return;
        const auto ended = transaction.open.back();
        transaction.open.pop_back();
        // One that is released goes on being undone with its parent, which the server says of each: in `released_`.
        auto within = released_[ended];
        within.push_back(ended);
        if (!rolls_back) {
            auto& parent = released_[transaction.open.back()];
            parent.insert(parent.end(), within.begin(), within.end());
            return;
        }
        close_piece();
        for (const auto xid : within) {
            sent.push_back(Bytes('A').i32(transaction.open.front()).i32(xid));
            std::erase_if(transaction.changes, [&](const Change& each) { return each.xid == xid && each.message[0] != 'R'; });
        }
    }
    void roll_back(std::size_t number) {
        close_piece();
        auto& transaction = transactions_[number];
        const auto xid = transaction.open.empty() ? 999'999 : transaction.open.front();
        sent.push_back(Bytes('A').i32(xid).i32(xid));
        transaction = {};
    }
    void commit(std::size_t number) {
        close_piece();
        auto& transaction = transactions_[number];
        if (transaction.open.empty()) return;
        const auto xid = transaction.open.front();
        const postgres::Lsn lsn{++last_lsn_ * 16};
        sent.push_back(Bytes('c').i32(xid).i8(0).i64(lsn.value).i64(lsn.value + 8).i64(9));
        expected.push_back(pgoutput::encode(pgoutput::Begin{lsn, 9, xid}));
        for (auto& each : transaction.changes) expected.push_back(std::move(each.message));
        expected.push_back(pgoutput::encode(pgoutput::Commit{lsn, {lsn.value + 8}, 9}));
        transaction = {};
    }
    void plain() {
        close_piece();
        const postgres::Lsn lsn{++last_lsn_ * 16};
        for (const auto& each : {pgoutput::encode(pgoutput::Begin{lsn, 9, ++last_xid_}),
                                 std::string{Bytes('I').i32(5).c('N').i16(1).c('n')},
                                 pgoutput::encode(pgoutput::Commit{lsn, {lsn.value + 8}, 9})}) {
            sent.push_back(each);
            expected.push_back(each);
        }
    }

    Choices choices_;
    std::map<std::size_t, Transaction> transactions_;
    std::map<std::uint32_t, std::vector<std::uint32_t>> released_;
    std::optional<std::size_t> piece_;
    std::uint32_t last_xid_ = 700;
    std::uint64_t last_lsn_ = 0;
};

Texts hand_on(TransactionAssembler& assembler, const Texts& messages) {
    Texts given;
    for (const auto& message : messages) {
        const auto as_it_is = assembler.take(message);
        PAL_ASSERT(as_it_is);
        if (*as_it_is) given.push_back(message);
        while (assembler.is_handing_on()) {
            const auto next = assembler.next();
            PAL_ASSERT(next);
            given.emplace_back(*next);
        }
    }
    return given;
}

/// Each message is a byte of length, and so many bytes.
Texts cut(std::string_view bytes) {
    Texts messages;
    while (!bytes.empty()) {
        const auto size = static_cast<unsigned char>(bytes.front());
        messages.emplace_back(bytes.substr(1, size));
        bytes.remove_prefix(std::min<std::size_t>(bytes.size(), size + 1u));
    }
    return messages;
}

/// Whatever is sent is taken or refused, and what decodes, decodes the same in the memory of what came before.
void check_messages(const Texts& messages) {
    pgoutput::Decoder decoder;
    TransactionAssembler assembler{{.memory_bytes_max = 64}};
    bool broken = false;
    for (const auto& message : messages) {
        const auto fresh = pgoutput::decode(message);
        const auto reused = decoder.decode(message);
        PAL_ASSERT(fresh.has_value() == reused.has_value());
        if (fresh) PAL_ASSERT(*fresh == **reused);
        if (fresh && std::holds_alternative<pgoutput::Begin>(*fresh)) PAL_ASSERT(pgoutput::encode(std::get<pgoutput::Begin>(*fresh)) == message);
        broken = broken || !assembler.take(message);
        while (!broken && assembler.is_handing_on()) broken = !assembler.next();
    }
}

}  // namespace

/// The input is messages; and it is what a server does, whose transactions must come out of their pieces as they went in, from memory
/// as from files.
void fuzz_one(std::span<const std::byte> input) {
    const auto text = text_of(input);
    check_messages(cut(text));
    Server server{Choices{text}};
    server.run();
    for (const std::size_t memory : {std::size_t{1} << 20, std::size_t{300}}) {
        TransactionAssembler assembler{{.memory_bytes_max = memory}};
        PAL_ASSERT(hand_on(assembler, server.sent) == server.expected);
    }
}
