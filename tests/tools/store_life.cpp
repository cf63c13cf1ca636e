// One life of a store and nothing else, for the campaign of failing calls
// (tests/campaigns/calls.py).
//
//   store_life write FOLDER COUNT   opens, commits COUNT batches one after the other, erases what
//                                   was overwritten, closes
//   store_life early FOLDER COUNT   the same, but it lies: it acknowledges before it commits
//   store_life crash FOLDER COUNT   as write, but it ends behind the last commit, as if killed
//   store_life read FOLDER          opens, prints what is there, reads every table, commits, closes
//
// A line for each fact as soon as it is one: `opened N` (batches of earlier lives), `committed N`,
// `erased`, `closed`. Exit code 5 with a sentence if the store said no.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <unistd.h>

#include "storage/store.hpp"

namespace {

using namespace pfx;
using namespace pfx::storage;

constexpr int store_said_no = 5;
constexpr std::uint64_t floor_octets = 1u << 20;
constexpr std::size_t blob_octets = 6'000; ///< more than one page of the disk
/// All batches write it, so that there is something overwritten to erase.
const request_key shared{"contoso", flow::pfx, "shared"};

request_key key_of(std::uint64_t number) {
  return {"contoso", flow::pfx, "rq-" + std::to_string(number)};
}

bytes blob_of(std::uint64_t number) {
  auto out = to_bytes(std::to_string(number) + ":");
  out.resize(blob_octets, static_cast<std::uint8_t>(number));
  return out;
}

/// One fact told in five families: half of it must never be there.
batch batch_of(std::uint64_t number) {
  record of;
  of.key = key_of(number);
  of.state = record_state::received;
  of.kind = request_kind::pfx_create;
  of.lease_number = 1;
  of.received_at = static_cast<unix_ms>(number);
  digest head;
  head.octets.fill(static_cast<std::uint8_t>(number));
  trail_entry line;
  line.text = std::to_string(number);
  return {put_record{of}, put_blob{of.key, blob_kind::request, blob_of(number)},
          put_blob{shared, blob_kind::request, blob_of(number)}, put_trail{of.key, line},
          put_audit{number, head, to_bytes(std::to_string(number))},
          put_meta{"last", to_bytes(std::to_string(number))}};
}

/// At once and by its own call: what is printed here was true before anything else could happen.
void say(const std::string& line) {
  const auto whole = line + "\n";
  if (::write(STDOUT_FILENO, whole.data(), whole.size()) < 0) {
    std::abort();
  }
}

int refuse(const std::string& doing, const error& why) {
  std::cerr << "store_life: " << doing << ": " << to_string(why) << "\n";
  return store_said_no;
}

store_options options_of(const std::string& folder) {
  store_options out;
  out.directory = folder;
  out.free_bytes_floor = floor_octets;
  return out;
}

result<std::uint64_t> last_of(const store& from) {
  const auto last = from.last_audit();
  if (!last) {
    return failure(last.error());
  }
  return *last ? (*last)->sequence : 0;
}

int commit_all(store& into, std::uint64_t first, std::uint64_t count, const std::string& how) {
  for (auto number = first; number < first + count; ++number) {
    if (how == "early") {
      say("committed " + std::to_string(number));
    }
    if (const auto done = into.commit(batch_of(number)); !done) {
      return refuse("commit", done.error());
    }
    if (how != "early") {
      say("committed " + std::to_string(number));
    }
  }
  return 0;
}

int write(const std::string& folder, std::uint64_t count, const std::string& how) {
  auto opened = store::open(options_of(folder));
  if (!opened) {
    return refuse("open", opened.error());
  }
  const auto last = last_of(**opened);
  if (!last) {
    return refuse("read", last.error());
  }
  say("opened " + std::to_string(*last));
  if (const int failed = commit_all(**opened, *last + 1, count, how); failed != 0) {
    return failed;
  }
  if (how == "crash") {
    ::_exit(0);
  }
  if (const auto erased = (*opened)->erase_overwritten(); !erased) {
    return refuse("erase", erased.error());
  }
  say("erased");
  if (const auto closed = (*opened)->close_clean(); !closed) {
    return refuse("close", closed.error());
  }
  say("closed");
  return 0;
}

/// What is missing of batch `number`, or nothing.
std::string missing_of(const store& from, std::uint64_t number) {
  const auto key = key_of(number);
  const auto of = from.find_record(key);
  const auto blob = from.find_blob(key, blob_kind::request);
  const auto lines = from.trail(key);
  if (!of || !*of || (*of)->received_at != static_cast<unix_ms>(number)) {
    return "record";
  }
  if (!blob || !*blob || **blob != blob_of(number)) {
    return "blob";
  }
  return lines && lines->size() == 1 ? "" : "trail";
}

/// `batch N` for each that is whole, `broken N WHAT` for each that is not.
int tell_batches(const store& from) {
  std::vector<std::uint64_t> numbers;
  std::size_t records = 0;
  const auto walked = from.each_audit(0, [&](std::uint64_t number, digest, bytes entry) {
    numbers.push_back(entry == to_bytes(std::to_string(number)) ? number : 0);
    return true;
  });
  const auto counted = from.each_record([&](const record&) {
    ++records;
    return true;
  });
  const auto last = from.meta("last");
  const auto newest = from.find_blob(shared, blob_kind::request);
  if (!walked || !counted || !last || !newest) {
    return refuse("read", !walked ? walked.error() : !counted ? counted.error()
                                                   : !last    ? last.error()
                                                              : newest.error());
  }
  for (const auto number : numbers) {
    const auto missing = missing_of(from, number);
    say(missing.empty() ? "batch " + std::to_string(number)
                        : "broken " + std::to_string(number) + " " + missing);
  }
  const auto end = numbers.empty() ? 0 : numbers.back();
  const bool fits = numbers.empty()
                      ? !*last && !*newest
                      : *last && **last == to_bytes(std::to_string(end)) && *newest
                          && **newest == blob_of(end);
  if (!fits || records != numbers.size()) {
    say("broken " + std::to_string(end) + " whole");
  }
  return 0;
}

int read(const std::string& folder) {
  auto opened = store::open(options_of(folder));
  if (!opened) {
    return refuse("open", opened.error());
  }
  if (const int failed = tell_batches(**opened); failed != 0) {
    return failed;
  }
  if (const auto whole = (*opened)->verify(); !whole) {
    return refuse("verify", whole.error());
  }
  if (const auto written = (*opened)->commit({put_meta{"read", to_bytes("1")}}); !written) {
    return refuse("commit", written.error());
  }
  if (const auto closed = (*opened)->close_clean(); !closed) {
    return refuse("close", closed.error());
  }
  say("closed");
  return 0;
}

} // namespace

int main(int count, char** words) {
  const std::string how = count > 1 ? words[1] : "";
  if (how == "read" && count == 3) {
    return read(words[2]);
  }
  if ((how == "write" || how == "early" || how == "crash") && count == 4) {
    return write(words[2], std::strtoull(words[3], nullptr, 10), how);
  }
  std::cerr << "store_life write|early|crash FOLDER COUNT, or read FOLDER\n";
  return 2;
}
