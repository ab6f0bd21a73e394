#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/message.hpp"

namespace server {

/// What an event stream says of some channels: protocol messages in, Server-Sent Events or lines of JSON out (docs/formats.md). Pure.
class EventText {
public:
    struct Form {
        bool events = true;       // Server-Sent Events; otherwise lines of JSON
        bool enveloped = true;    // whole messages; otherwise their data
        bool heartbeats = false;  // as events; otherwise as comments, or empty lines
        friend bool operator==(const Form&, const Form&) = default;
    };
    /// `position` is that of the stream to go on from; empty: a new one.
    EventText(Form form, std::vector<std::string> channels, std::vector<std::string> position);

    /// What is to be written when this frame comes; often nothing.
    std::string of(const protocol::ProtocolMessage& frame);
    std::string keep_alive() const;

    /// The id of an event is how far each channel was told, in the order of the channels. Nothing when it is not one for so many.
    static std::optional<std::vector<std::string>> parse_position(std::string_view id, std::size_t channels);

private:
    std::string attached(const protocol::ProtocolMessage& frame);
    template <class Item>
    std::string each(std::string_view event, const protocol::ProtocolMessage& frame, const std::vector<Item>& items);
    std::string error(const protocol::ErrorInfo& error) const;
    std::string event(std::string_view name, std::string_view data, bool is_json, const std::string& id) const;
    std::string position() const;

    Form form_;
    std::vector<std::string> channels_;
    std::vector<std::string> serials_;  // of each channel; empty until it is attached
    bool resuming_;
};

}  // namespace server
