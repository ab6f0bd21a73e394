#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "broker/broker.hpp"

/// Rows of palimpsest.message and palimpsest.message_event (migrations/0003-archive.sql). Pure.
namespace archive {

using base::Result;

/// What is to be written, as the JSON arrays that the statements take. A message that is written twice is written as it is last, so that
/// one statement never meets a row twice.
class Rows {
public:
    void add(const std::string& address, const broker::Published& published);
    bool empty() const { return messages_.empty() && events_.empty(); }
    std::size_t size() const { return messages_.size() + events_.size(); }

    /// [{"address":…,"kind":…,"serial":…,"sent_at":…,"body":{…}}, …]
    std::string messages_json() const;
    /// [{"address":…,"message":…,"kind":…,"serial":…,"body":{…}}, …]
    std::string events_json() const;

private:
    void add_message(const std::string& address, const protocol::Message& message);
    void add_event(const std::string& address, const std::string& message, protocol::Action kind, const std::string& serial,
                   std::string body);

    struct MessageRow {
        std::int64_t sent_at = 0;
        std::string body;
    };
    std::map<std::tuple<std::string, protocol::Action, std::string>, MessageRow> messages_;             // address, kind, serial
    std::map<std::tuple<std::string, std::string, protocol::Action, std::string>, std::string> events_;  // address, message, kind, serial
};

/// The bounds, between which serials are, of what a history query asks for: both exclusive, empty for none.
struct SerialRange {
    std::string above, below;
};
SerialRange range_of(const broker::HistoryQuery& query);

/// Errors: internal_error, for a body that we did not write.
Result<protocol::Message> message_of(std::string_view body);
Result<protocol::PresenceMessage> presence_of(std::string_view body);
Result<protocol::Annotation> annotation_of(std::string_view body);

}  // namespace archive
