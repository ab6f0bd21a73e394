#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "broker/position.hpp"
#include "broker/revision.hpp"
#include "protocol/frame.hpp"
#include "protocol/message.hpp"

/// The seam for scale (D6): what orders, keeps and hands on a channel's messages. A broker belongs to one shard, is called
/// on it and calls back on it. Channels are named by address, `appId/channel`.
namespace broker {

using base::Result;
using base::Time;

/// What somebody wants ordered: a MESSAGE, PRESENCE or ANNOTATION in the making, for the channel it names. Ids that it has are the
/// publisher's promise that the same id from the same clientId is the same message (RSL1k); the broker gives ids to those that
/// have none.
struct Draft {
    protocol::ProtocolMessage message;
    std::optional<WalPlace> place;  // of a change: its position, and what makes publishing it twice harmless
    std::optional<Change> change;   // it has one message, which changes another (is_change)
    /// Its messages tell what became of rows of a table, and by their serials of which, whole and whether or not the message that they
    /// change is held. With a place.
    bool rows = false;
    bool ephemeral = false;         // for who listens now, and who resumes: neither history nor rewind has it
    bool perhaps_kept = false;      // the process before this one may have been given it: its archive would know
};

/// Who published something under which id, when its publisher gave it one. Of another client the same id is another one. Views of the
/// message.
struct Said {
    std::string_view client_id, id;
    friend bool operator==(const Said&, const Said&) = default;
};
/// Empty for presence, where the same id may be said anew (RTP17g).
Said said_of(const protocol::ProtocolMessage& message);

/// RTL6a2: what those are called that were published together without ids: of `id` the index-th is `id:index`.
std::string numbered(std::string_view id, std::size_t index);

/// One ordered protocol message, as every subscriber gets it. Shared between shards, immutable.
struct Entry {
    Position position;
    Time timestamp;
    protocol::ProtocolMessage message;  // with channelSerial, id, timestamp; its messages with id and serial
    std::size_t bytes = 0;              // in memory
    bool ephemeral = false;
};
using EntryPtr = std::shared_ptr<const Entry>;

/// The messages of an entry as they are outside its envelope: with connectionId and timestamp (TM2c, TM2f).
std::vector<protocol::Message> messages_of(const Entry& entry);
std::vector<protocol::PresenceMessage> presence_of(const Entry& entry);

std::vector<protocol::Annotation> annotations_of(const Entry& entry);

bool is_append(const Entry& entry);
/// The entry of an append, with all of the message that it made instead of what was appended.
EntryPtr with_whole(const Entry& entry, const protocol::Message& message);

struct Published {
    EntryPtr entry;          // what was ordered now or, of a duplicate, then; null when that is no longer held
    EntryPtr summary;        // of annotations that add up to something: ordered behind them, what that is now
    bool duplicate = false;  // it was published before: nobody is to be told again
    std::optional<protocol::Message> latest;  // of a message that this changed or annotated: as it is now
    std::optional<protocol::Message> before;  // of one that this changed: as it was
};
using PublishDone = std::move_only_function<void(Result<Published>)>;

/// What an attachment that starts at a position needs to be told.
struct Replay {
    Position start;                 // `entries` is what comes after this: an attachment that is cut short goes on from here
    std::vector<EntryPtr> entries;  // in order: messages; for who resumes, annotations and changes too
    Position tail;                  // the channel's last position: live entries come after it
    bool complete = false;          // nothing between the asked position and `tail` is missing
    bool truncated = false;         // of a rewind by time: there was more than limits::rewind_messages_max
};
using ReplayDone = std::move_only_function<void(Result<Replay>)>;

struct From {                                  // nothing: from now on
    std::optional<Position> after;             // resume (RTL4c1)
    std::optional<std::size_t> last_messages;  // rewind by count,
    std::optional<Time> since;                 // or by time; by both, to where there is less
    bool whole_appends = false;                // of what was appended to, the message as it is now, once
};

/// One message among those of an entry.
struct Cursor {
    Position position;
    std::size_t index = 0;
    friend auto operator<=>(const Cursor&, const Cursor&) = default;
};
/// A message's serial (TM2r), and the cursor of a history page: channelSerial ':' index:dec3+.
std::string to_serial(const Cursor& cursor);
std::string to_serial(std::string_view channel_serial, std::size_t index);
std::optional<Cursor> parse_cursor(std::string_view serial);

enum class Direction : std::uint8_t { backwards, forwards };
struct HistoryQuery {                // RSL2b, RTL10b, RSP4b
    std::optional<Time> start, end;  // both inclusive
    std::optional<Position> until;   // untilAttach: nothing after it
    std::optional<Cursor> after;     // the next page starts behind this, in the direction of travel
    Direction direction = Direction::backwards;
    std::size_t limit = base::limits::page_default;
    protocol::Action kind = protocol::Action::message;  // or presence
    bool persisted = false;          // of a persisted channel: as far back as its archive reaches, where there is one
};
struct HistoryPage {
    std::vector<protocol::Message> messages;          // of one kind only; complete: nothing is left to the envelope
    std::vector<protocol::PresenceMessage> presence;
    std::optional<Cursor> next;                       // there may be more after this
    std::size_t bytes = 0;                            // of an answer, at most; a page ends before limits::page_bytes_max
};
using HistoryDone = std::move_only_function<void(Result<HistoryPage>)>;

/// A message, what became of it and what was said of it.
struct Record {
    protocol::Message latest;
    std::vector<protocol::Message> versions;         // whole, from the first to the latest; the last limits::versions_bytes_max of them
    std::vector<protocol::Annotation> annotations;  // in order
};
using RecordDone = std::move_only_function<void(Result<Record>)>;

class Broker {
public:
    virtual ~Broker() = default;

    /// Orders the draft behind all that its channel holds and keeps it. A message that was published
    /// before, by clientId and id, or a change, by its place, is not ordered again; presence is always ordered. `done` may be
    /// called before this returns. Errors of what changes or annotates a message: not_found, and those of revised().
    virtual void publish(const std::string& address, Draft&& draft, Time now, PublishDone done) = 0;

    /// What an attach is to be told: who rewinds, messages as they are now; who resumes, all that happened.
    virtual void replay(const std::string& address, From from, Time now, ReplayDone done) = 0;
    /// Messages as they are now, where they were first; presence as it was said.
    virtual void history(const std::string& address, HistoryQuery query, Time now, HistoryDone done) = 0;
    /// Error: not_found.
    virtual void look_up(const std::string& address, std::string serial, Time now, RecordDone done) = 0;

    /// Everything of this channel up to and with `place` has been ordered in the past, by us or by a process before us: entries up to
    /// there are not held, and an attachment that has seen it has missed nothing. Called before the first publish with a place.
    virtual void start_at(const std::string& address, WalPlace place) = 0;
    /// The same of every channel whose address starts with `prefix`, unless more is known of it: of `all` of them, or of each from
    /// when something with a place is published on it. Called before the first start_at below it.
    virtual void start_under(const std::string& prefix, WalPlace place, bool all) = 0;

    /// Changes of this channel, or of all whose addresses start so, are missing from before `place`: nothing that it holds from before can
    /// be gone on from. Not before a place that was published.
    virtual void interrupt(const std::string& address, bool is_prefix, WalPlace place) = 0;

    /// Takes up a message that it no longer holds, so that it can be changed and annotated: for a retention window.
    virtual void adopt(const std::string& address, Record record, Time now) = 0;

    /// Lets go of what need not be kept any longer. Call every few seconds.
    virtual void sweep(Time now) = 0;
};

}  // namespace broker
