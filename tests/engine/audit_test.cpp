// The audit of commands: into the store or through a running engine, read back, and every change to
// what was written noticed.
#include "engine/audit.hpp"

#include "tests/catch.hpp"

#include <nlohmann/json.hpp>

#include "actors/tasks/audit.hpp"
#include "connect/http/client.hpp"
#include "engine/control_json.hpp"
#include "tests/engine/sealed_room.hpp"

namespace {

using namespace pfx;
using namespace pfx::engine;
using test::code_of;
using test::must;
using test::sealed_room;

/// Adds a line to a store as somebody who forges would: with the head he likes.
void add_line(storage::store& store, std::uint64_t sequence, const digest& head,
              const std::string& text) {
  actors::tasks::audit_line line;
  line.event = 6001;
  line.text = text;
  must(store.commit({storage::put_audit{sequence, head, encode(line)}}));
}

/// An engine of cardboard that keeps notes.
struct note_keeper {
  std::vector<std::pair<std::uint16_t, std::string>> notes;
  result<void> answer;

  control_commands commands() {
    control_commands out;
    out.note_audit = [this](std::uint16_t event, const std::string& text) {
      notes.emplace_back(event, text);
      return answer;
    };
    out.audit = [](std::size_t last) -> result<audit_excerpt> {
      audit_excerpt some;
      some.entries.push_back({7, 1'790'000'000'250, 6001, "ctx", std::string(64, 'a'), "0f",
                              "last " + std::to_string(last), std::string(64, 'b'), 0});
      some.entries.push_back({8, 0, 1, "", "", "", "", std::string(64, 'c'), 12});
      some.checked = 8;
      some.fault = "entry 3 cannot be read";
      return some;
    };
    return out;
  }
};

} // namespace

TEST_CASE("without an engine, a note goes into the store and is read back", "[engine][audit]") {
  const sealed_room room;
  CHECK(code_of(read_audit(room.settings, 10)) == errc::not_found); // no store was made for reading
  must(note_audit(room.settings, 6001, "first"));
  must(note_audit(room.settings, 6004, "second"));
  const auto read = must(read_audit(room.settings, 10));
  REQUIRE(read.entries.size() == 2);
  CHECK(read.checked == 2);
  CHECK(read.fault.empty());
  CHECK(read.entries[0].sequence == 1);
  CHECK(read.entries[0].event == 6001);
  CHECK(read.entries[0].text == "first");
  CHECK(read.entries[1].sequence == 2);
  CHECK(read.entries[1].text == "second");
  CHECK(read.entries[1].at >= read.entries[0].at);
  CHECK(read.entries[0].head != read.entries[1].head);
  const auto newest = must(read_audit(room.settings, 1));
  REQUIRE(newest.entries.size() == 1);
  CHECK(newest.entries[0].text == "second");
  CHECK(newest.checked == 2);
}

TEST_CASE("a note continues the chain that the engine began", "[engine][audit]") {
  const sealed_room room;
  {
    const auto store = room.store();
    auto line
      = encode(actors::tasks::audit_line{.at = 5, .event = 1, .random = bytes(16, 1), .epoch = 3});
    const auto head = actors::tasks::audit_link({}, 1, line);
    must(store->commit({storage::put_audit{1, head, std::move(line)}}));
    must(store->close_clean());
  }
  must(note_audit(room.settings, 6002, "a key came"));
  const auto entries = room.audit();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].epoch == 3);
  CHECK(entries[1].text == "a key came");
}

TEST_CASE("a note leaves the mark of an unclean end where it was", "[engine][audit]") {
  const sealed_room room;
  { const auto killed = room.store(); }
  must(note_audit(room.settings, 6001, "in between"));
  CHECK(room.audit().size() == 1);
  const auto next = room.store();
  CHECK(next->status().unclean_start);
  must(next->close_clean());
}

TEST_CASE("what was changed, cut out or forged shows", "[engine][audit]") {
  const sealed_room room;
  for (const auto* text : {"one", "two", "three"})
    must(note_audit(room.settings, 6001, text));
  const auto forge = [&](std::uint64_t sequence, const digest& head) {
    {
      const auto store = room.store();
      add_line(*store, sequence, head, "forged");
      must(store->close_clean());
    }
    return must(read_audit(room.settings, 10)).fault;
  };
  SECTION("a line whose head does not follow from the one before") {
    CHECK(forge(4, digest{}) == "entry 4 does not hang on the one before it");
  }
  SECTION("a line after a gap") { CHECK(forge(6, digest{}) == "entry 6 does not follow 3"); }
  SECTION("a line that is none") {
    {
      const auto store = room.store();
      const auto last = must(store->last_audit());
      REQUIRE(last);
      const bytes nonsense{1, 2, 3};
      const auto head = actors::tasks::audit_link(last->chain_head, 4, nonsense);
      must(store->commit({storage::put_audit{4, head, nonsense}}));
      must(store->close_clean());
    }
    const auto read = must(read_audit(room.settings, 10));
    CHECK(read.fault == "entry 4 cannot be read");
    CHECK(read.checked == 4);
  }
}

TEST_CASE("a chain that does not begin at its beginning is told", "[engine][audit]") {
  const sealed_room room;
  {
    const auto store = room.store();
    add_line(*store, 5, digest{}, "the first four are gone");
    must(store->close_clean());
  }
  CHECK(must(read_audit(room.settings, 10)).fault == "entry 5 does not follow 0");
}

TEST_CASE("a running engine takes the note and answers for the store", "[engine][audit]") {
  const sealed_room room;
  note_keeper engine;
  const auto server = must(control_server::start(room.settings.control_socket, engine.commands()));
  const auto owned = room.store();
  must(note_audit(room.settings, 6003, "umlaut \u00fc, quote \" and \\"));
  REQUIRE(engine.notes.size() == 1);
  CHECK(engine.notes[0].first == 6003);
  CHECK(engine.notes[0].second == "umlaut \u00fc, quote \" and \\");
  const auto read = must(read_audit(room.settings, 17));
  REQUIRE(read.entries.size() == 2);
  CHECK(read.entries[0].sequence == 7);
  CHECK(read.entries[0].at == 1'790'000'000'250);
  CHECK(read.entries[0].context == "ctx");
  CHECK(read.entries[0].thumbprint == std::string(64, 'a'));
  CHECK(read.entries[0].serial_number == "0f");
  CHECK(read.entries[0].text == "last 17");
  CHECK(read.entries[0].head == std::string(64, 'b'));
  CHECK(read.entries[1].epoch == 12);
  CHECK(read.checked == 8);
  CHECK(read.fault == "entry 3 cannot be read");
  CHECK(to_json(read) == to_json(must(detail::excerpt_from_json(to_json(read)))));

  engine.answer = failure(errc::store_poisoned, "store", "takes no more writes");
  CHECK(code_of(note_audit(room.settings, 6003, "x")) == errc::store_poisoned);
}

TEST_CASE("an engine that owns the store and does not answer is waited for by nobody",
          "[engine][audit]") {
  const sealed_room room;
  const auto owned = room.store();
  CHECK(code_of(note_audit(room.settings, 6001, "x")) == errc::unavailable);
  CHECK(code_of(read_audit(room.settings, 5)) == errc::unavailable);
}

TEST_CASE("the control socket takes notes of commands and nothing else", "[engine][audit]") {
  const sealed_room room;
  note_keeper engine;
  const auto server = must(control_server::start(room.settings.control_socket, engine.commands()));
  connect::http::client_options options;
  options.base_url = "http://localhost";
  options.unix_socket = room.settings.control_socket;
  const auto http = must(connect::http::client::make(std::move(options)));
  const auto post
    = [&](const std::string& body) { return must(http->post("/audit", body)).status; };
  CHECK(post(R"({"event":6001,"text":"good"})") == 200);
  for (const auto* bad :
       {"", "{}", "[]", "null", "nonsense", R"({"event":6001})", R"({"text":"x"})",
        R"({"event":1,"text":"x"})", R"({"event":2040,"text":"x"})", R"({"event":6000,"text":"x"})",
        R"({"event":6100,"text":"x"})", R"({"event":-1,"text":"x"})",
        R"({"event":71537,"text":"x"})", R"({"event":"6001","text":"x"})",
        R"({"event":6001.5,"text":"x"})", R"({"event":6001,"text":""})",
        R"({"event":6001,"text":7})"}) {
    INFO(bad);
    CHECK(post(bad) == 400);
  }
  CHECK(post(R"({"event":6001,"text":")" + std::string(1'001, 'x') + "\"}") == 400);
  CHECK(post(R"({"event":6001,"text":")" + std::string(10'000, 'x') + "\"}") == 413);
  CHECK(engine.notes.size() == 1);
  for (const auto* query : {"?last=0", "?last=1001", "?last=x", "?last=-1", "?last=1e3"})
    CHECK(must(http->get(std::string("/audit") + query)).status == 400);
  CHECK(must(http->get("/audit")).body.find("last 20") != std::string::npos);
}

TEST_CASE("an engine without an audit says so", "[engine][audit]") {
  const sealed_room room;
  const auto server = must(control_server::start(room.settings.control_socket, {}));
  CHECK(code_of(note_audit(room.settings, 6001, "x")) == errc::not_supported);
  CHECK(code_of(read_audit(room.settings, 5)) == errc::not_supported);
}
