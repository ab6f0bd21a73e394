#pragma once

#include <cstddef>

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "broker/broker.hpp"

namespace broker {

/// The entries of a channel whose publishers gave them an id, by who said it (Said). Every publish looks here and finds nothing of it in
/// a cache, so that a slot is small: an entry and its hash; what it was said as stands in its message. Shard-owned.
class SaidIndex {
public:
    struct Key {
        explicit Key(const Said& by) : said(by), hash(boost::hash<std::string_view>{}(by.id)) { boost::hash_combine(hash, by.client_id); }

        Said said;
        std::size_t hash;
    };

    /// Null when it was not said before.
    EntryPtr find(const Key& key) const {
        const auto found = entries_.find(key);
        return found == entries_.end() ? nullptr : found->entry;
    }
    /// What find() did not find, by the hash that it was looked for with.
    void add(std::size_t hash, const EntryPtr& entry) { entries_.insert({hash, entry}); }
    /// If it is here.
    void remove(const EntryPtr& entry) {
        if (entries_.empty()) return;
        const auto found = entries_.find(Key{said_of(entry->message)});
        if (found != entries_.end() && found->entry == entry) entries_.erase(found);
    }

private:
    struct Slot {
        std::size_t hash;
        EntryPtr entry;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const auto& slot_or_key) const { return slot_or_key.hash; }
    };
    struct Same {
        using is_transparent = void;
        bool operator()(const Slot& a, const Slot& b) const {
            return a.hash == b.hash && said_of(a.entry->message) == said_of(b.entry->message);
        }
        bool operator()(const Key& key, const Slot& slot) const {
            return key.hash == slot.hash && key.said == said_of(slot.entry->message);
        }
        bool operator()(const Slot& slot, const Key& key) const { return (*this)(key, slot); }
    };

    boost::unordered_flat_set<Slot, Hash, Same> entries_;
};

}  // namespace broker
