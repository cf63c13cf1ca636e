// Connector keys by order of an administrator: every form that comes in and goes out, and that
// nothing is done which the audit does not have.
#include "engine/keys.hpp"

#include "tests/catch.hpp"

#include <sys/stat.h>

#include "crypto/digest.hpp"
#include "crypto/rsa_blob.hpp"
#include "engine/control.hpp"
#include "engine/keys_form.hpp"
#include "tests/engine/sealed_room.hpp"

namespace {

using namespace pfx;
using namespace pfx::engine;
using test::code_of;
using test::must;
using test::sealed_room;

const crypto::private_key& some_key() {
  static const auto key = must(crypto::private_key::generate(key_algorithm::rsa2048));
  return key;
}

key_order named(std::string name) {
  key_order out;
  out.name = std::move(name);
  return out;
}

secret_bytes secret(std::string_view text) { return secret_bytes(as_bytes(text)); }

/// One line of output of openssl, fed with these octets.
std::string openssl(const sealed_room& room, const secret_bytes& in, const std::string& words) {
  const auto from = room.folder.write("openssl-in", in.text());
  const auto to = room.folder.path("openssl-out");
  REQUIRE(
    std::system(("openssl " + words + " -in '" + from + "' -out '" + to + "' 2>/dev/null").c_str())
    == 0);
  return to_text(must(detail::read_file(to, 1u << 20)));
}

std::string last_note(const sealed_room& room) {
  const auto entries = room.audit();
  return entries.empty() ? "" : std::to_string(entries.back().event) + " " + entries.back().text;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a key is made, listed, shown and removed, each change in the audit", "[engine][keys]") {
  const sealed_room room;
  CHECK(must(list_keys(room.settings)).empty());
  auto order = named("mail");
  order.paddings = {"oaepSha512", "OAEPSHA256"};
  const auto made = must(create_key(room.settings, order, "rsa2048"));
  CHECK(made.provider == "pfxengine");
  CHECK(made.name == "mail");
  CHECK(made.bits == 2048);
  CHECK(made.paddings == std::vector<std::string>{"oaepSha256", "oaepSha512"});
  CHECK_FALSE(made.exportable);
  CHECK(made.fingerprint.size() == 64);
  CHECK(has(last_note(room),
            "6001 connector key \"pfxengine\" / \"mail\" with public key " + made.fingerprint
              + " made, not exportable"));
  CHECK(to_json(must(show_key(room.settings, "pfxengine", "mail"))) == to_json(made));
  CHECK(to_json(must(overview_of_keys(room.settings))) == R"({"value":[)" + to_json(made) + "]}");

  must(remove_key(room.settings, "pfxengine", "mail"));
  CHECK(has(last_note(room), "6004 "));
  CHECK(has(last_note(room), made.fingerprint + " removed"));
  CHECK(must(list_keys(room.settings)).empty());
  CHECK(code_of(show_key(room.settings, "pfxengine", "mail")) == errc::not_found);
  CHECK(code_of(remove_key(room.settings, "pfxengine", "mail")) == errc::not_found);
  CHECK(room.audit().size() == 2);
}

TEST_CASE("what is wrong with an order is named, and leaves no trace", "[engine][keys]") {
  const sealed_room room;
  const auto refused = [&](const key_order& order, const std::string& algorithm, errc code,
                           const std::string& field) {
    const auto made = create_key(room.settings, order, algorithm);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == code);
    CHECK(made.error().field == field);
  };
  refused(named(""), "rsa2048", errc::bad_input, "keyName");
  refused(named(std::string(257, 'x')), "rsa2048", errc::bad_input, "keyName");
  refused(named("a\tb"), "rsa2048", errc::bad_input, "keyName");
  auto order = named("mail");
  order.provider = "";
  refused(order, "rsa2048", errc::bad_input, "providerName");
  for (const auto* algorithm : {"", "rsa1024", "rsa", "ecP256", "RSA2048"})
    refused(named("mail"), algorithm, errc::bad_input, "algorithm");
  order = named("mail");
  for (const auto* word : {"oaepSha1", "none", "", "oaep"}) {
    order.paddings = {"oaepSha256", word};
    refused(order, "rsa2048", errc::bad_input, "padding");
  }
  CHECK(must(list_keys(room.settings)).empty());
  CHECK_FALSE(std::filesystem::exists(room.settings.keys_directory));
  CHECK(code_of(read_audit(room.settings, 1)) == errc::not_found); // not even a store was made
}

TEST_CASE("a private key comes in by every form that is read", "[engine][keys]") {
  const sealed_room room;
  const auto& key = some_key();
  const auto pem = must(key.to_pem());
  const auto traditional = openssl(room, pem, "rsa -traditional");
  REQUIRE(has(traditional, "BEGIN RSA PRIVATE KEY"));
  std::vector<std::pair<std::string, secret_bytes>> forms;
  forms.emplace_back("PEM", pem.duplicate());
  forms.emplace_back("traditional PEM", secret(traditional));
  forms.emplace_back("PEM behind words",
                     secret("Bag Attributes\n  friendlyName: x\n" + std::string(pem.text())));
  forms.emplace_back("DER", must(key.to_pkcs8()));
  forms.emplace_back("blob", must(crypto::to_rsa_full_private_blob(key)));
  for (const auto& [name, octets] : forms) {
    INFO(name);
    const auto made = must(import_key(room.settings, named(name), octets));
    CHECK(made.fingerprint == to_hex(key.public_key_hash()));
    CHECK(has(last_note(room), "6002 "));
    CHECK(has(last_note(room), "imported, not exportable"));
  }
  CHECK(must(list_keys(room.settings)).size() == forms.size());
}

TEST_CASE("a form that is not read is refused by its name", "[engine][keys]") {
  const sealed_room room;
  const auto& key = some_key();
  const auto pem = must(key.to_pem());
  const auto refused = [&](const secret_bytes& octets, errc code, const std::string& words) {
    const auto made = import_key(room.settings, named("x"), octets);
    REQUIRE_FALSE(made);
    INFO(to_string(made.error()));
    CHECK(made.error().code == code);
    CHECK(made.error().field == "from");
    CHECK(has(made.error().message, words));
  };
  refused(secret(openssl(room, pem, "pkey -aes256 -passout pass:x")), errc::not_supported,
          "encrypted");
  refused(secret(openssl(room, pem, "rsa -traditional -aes256 -passout pass:x")),
          errc::not_supported, "encrypted");
  refused(secret(openssl(room, pem, "pkcs8 -topk8 -outform DER -passout pass:x")),
          errc::not_supported, "encrypted");
  refused(secret(openssl(room, pem, "pkey -pubout")), errc::not_supported, "public");
  refused(secret(openssl(room, pem, "pkey -pubout -outform DER")), errc::not_supported,
          "no private key");
  refused(secret(openssl(room, pem,
                         "pkcs12 -export -nocerts -passout pass:x -inkey '"
                           + room.folder.write("key.pem", pem.text()) + "'")),
          errc::not_supported, "PKCS#12");
  refused(secret_bytes(must(crypto::to_rsa_public_blob(must(key.public_key())))),
          errc::not_supported, "public");
  refused(secret("RSA2...."), errc::not_supported, "RSAFULLPRIVATEBLOB");
  refused(secret("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
          errc::not_supported, "without a private key");
  refused(secret("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), errc::bad_input,
          "");
  refused(secret("RSA3"), errc::bad_input, "header");
  refused(secret(""), errc::bad_input, "empty");
  refused(secret("hello"), errc::bad_input, "no private key");
  refused(secret("0"), errc::bad_input, "no private key");
  refused(secret(std::string("\x30\x82\xff\xff\x02", 5)), errc::bad_input, "");
  refused(secret(std::string("\x30\x84", 2)), errc::bad_input, "");
  refused(secret_bytes(bytes(key_input_bytes_max + 1, 'x')), errc::too_large, "longer");
  CHECK(code_of(read_audit(room.settings, 1)) == errc::not_found);
}

TEST_CASE("keys that are no RSA of 2048 bits are refused before the audit", "[engine][keys]") {
  const sealed_room room;
  const auto ec = must(crypto::private_key::generate(key_algorithm::ec_p256));
  const auto made = import_key(room.settings, named("ec"), must(ec.to_pem()));
  CHECK(code_of(made) == errc::bad_input);
  CHECK(made.error().field == "key");
  const auto small = room.folder.path("small.pem");
  REQUIRE(std::system(("openssl genrsa -out '" + small + "' 1024 2>/dev/null").c_str()) == 0);
  const auto octets = must(detail::read_file(small, 1u << 20));
  CHECK(code_of(import_key(room.settings, named("small"), secret_bytes(octets)))
        == errc::bad_input);
  CHECK(code_of(read_audit(room.settings, 1)) == errc::not_found);
}

TEST_CASE("the public half goes out as PEM and as a blob", "[engine][keys]") {
  const sealed_room room;
  const auto& key = some_key();
  must(import_key(room.settings, named("mail"), must(key.to_pem())));
  const auto pem = to_text(must(public_key_of(room.settings, "pfxengine", "mail", key_form::pem)));
  CHECK(pem == openssl(room, must(key.to_pem()), "pkey -pubout"));
  const auto blob = must(public_key_of(room.settings, "pfxengine", "mail", key_form::blob));
  CHECK(must(crypto::from_rsa_public_blob(blob)) == must(key.public_key()));
  CHECK(code_of(public_key_of(room.settings, "pfxengine", "mail", key_form::pkcs8))
        == errc::bad_input);
  CHECK(code_of(public_key_of(room.settings, "pfxengine", "nobody", key_form::pem))
        == errc::not_found);
}

TEST_CASE("a private key leaves into a new file alone, and only if it was made for it",
          "[engine][keys]") {
  const sealed_room room;
  const auto& key = some_key();
  const auto out = room.folder.path("out");
  must(import_key(room.settings, named("stays"), must(key.to_pem())));
  CHECK(code_of(export_key(room.settings, "pfxengine", "stays", key_form::pem, out))
        == errc::policy);
  CHECK(code_of(export_key(room.settings, "pfxengine", "nobody", key_form::pem, out))
        == errc::not_found);
  CHECK(room.audit().size() == 1);
  auto order = named("leaves");
  order.exportable = true;
  must(import_key(room.settings, order, must(key.to_pem())));
  for (const auto form : {key_form::pem, key_form::pkcs8, key_form::blob}) {
    std::filesystem::remove(out);
    must(export_key(room.settings, "pfxengine", "leaves", form, out));
    CHECK(has(last_note(room), "6003 connector key \"pfxengine\" / \"leaves\" exported to " + out));
    struct stat about {};
    REQUIRE(::stat(out.c_str(), &about) == 0);
    CHECK((about.st_mode & 07777) == 0600);
    const auto octets = must(detail::read_file(out, 1u << 20));
    CHECK(must(detail::read_private_key(secret_bytes(octets))).public_key_hash()
          == key.public_key_hash());
  }
  CHECK(code_of(export_key(room.settings, "pfxengine", "leaves", key_form::pem, out))
        == errc::conflict);
  std::filesystem::create_symlink("/nowhere", room.folder.path("link"));
  CHECK(code_of(
          export_key(room.settings, "pfxengine", "leaves", key_form::pem, room.folder.path("link")))
        == errc::conflict);
  CHECK(room.audit().size() == 5);
  // The note was first; that the file could not be written is noted as well.
  CHECK_FALSE(export_key(room.settings, "pfxengine", "leaves", key_form::pem,
                         room.folder.path("no/such/folder")));
  CHECK(has(last_note(room), "6003 did not happen: "));
}

TEST_CASE("what the audit cannot take does not happen", "[engine][keys]") {
  const sealed_room room;
  auto order = named("mail");
  order.exportable = true;
  must(import_key(room.settings, order, must(some_key().to_pem())));
  const auto all_refused = [&] {
    CHECK_FALSE(create_key(room.settings, named("other"), "rsa2048"));
    CHECK_FALSE(import_key(room.settings, named("other"), must(some_key().to_pem())));
    CHECK_FALSE(
      export_key(room.settings, "pfxengine", "mail", key_form::pem, room.folder.path("out")));
    CHECK_FALSE(remove_key(room.settings, "pfxengine", "mail"));
    CHECK_FALSE(std::filesystem::exists(room.folder.path("out")));
    CHECK(must(list_keys(room.settings)).size() == 1);
  };
  SECTION("because an engine owns the store and does not answer") {
    const auto owned = room.store();
    all_refused();
    CHECK(code_of(remove_key(room.settings, "pfxengine", "mail")) == errc::unavailable);
  }
  SECTION("because the engine's store was poisoned") {
    control_commands commands;
    commands.note_audit = [](std::uint16_t, const std::string&) {
      return result<void>(failure(errc::store_poisoned, "store", "no"));
    };
    const auto server = must(control_server::start(room.settings.control_socket, commands));
    all_refused();
  }
}

TEST_CASE("with an engine running, keys change and the engine has the notes", "[engine][keys]") {
  const sealed_room room;
  std::vector<std::uint16_t> events;
  control_commands commands;
  commands.current = [id = to_hex(must(crypto::master_key_id(room.master())))] {
    status out;
    out.master_key_id = id;
    return out;
  };
  commands.note_audit = [&events](std::uint16_t event, const std::string&) {
    events.push_back(event);
    return result<void>();
  };
  const auto owned = room.store();
  const auto server = must(control_server::start(room.settings.control_socket, commands));
  must(create_key(room.settings, named("mail"), "rsa2048"));
  must(remove_key(room.settings, "pfxengine", "mail"));
  CHECK(events == std::vector<std::uint16_t>{6001, 6004});
}

TEST_CASE("a damaged key can be removed, one under another master key cannot", "[engine][keys]") {
  sealed_room room;
  must(import_key(room.settings, named("mail"), must(some_key().to_pem())));
  const auto good = room.settings.master_key_file;
  room.settings.master_key_file = room.folder.path("other.key");
  must(crypto::write_new_master_key(room.settings.master_key_file));
  CHECK(code_of(remove_key(room.settings, "pfxengine", "mail")) == errc::wrong_key);
  CHECK(code_of(list_keys(room.settings)) == errc::wrong_key);
  room.settings.master_key_file = good;
  const auto file = std::filesystem::directory_iterator(room.settings.keys_directory)->path();
  std::filesystem::resize_file(file, 100);
  CHECK(code_of(list_keys(room.settings)) == errc::corrupt);
  must(remove_key(room.settings, "pfxengine", "mail"));
  CHECK(must(list_keys(room.settings)).empty());
}

TEST_CASE("a damaged key is told beside those that open", "[engine][keys]") {
  const sealed_room room;
  must(import_key(room.settings, named("a"), must(some_key().to_pem())));
  const auto file = std::filesystem::directory_iterator(room.settings.keys_directory)->path();
  must(import_key(room.settings, named("b"), must(some_key().to_pem())));
  std::filesystem::resize_file(file, 100);
  const auto all = must(overview_of_keys(room.settings));
  REQUIRE(all.keys.size() == 1);
  CHECK(all.keys[0].name == "b");
  REQUIRE(all.faults.size() == 1);
  CHECK(all.faults[0].field == file.string());
  CHECK(has(to_json(all), R"("faults":[{"file":")" + file.string() + R"(","error":"corrupt: )"));
  CHECK(code_of(list_keys(room.settings)) == errc::corrupt); // for whoever needs them all
}

TEST_CASE("no command works with keys where there is no data directory or master key",
          "[engine][keys]") {
  sealed_room room;
  std::filesystem::remove(room.settings.master_key_file);
  CHECK_FALSE(create_key(room.settings, named("mail"), "rsa2048"));
  room.settings.data_directory = room.folder.path("elsewhere");
  const auto made = create_key(room.settings, named("mail"), "rsa2048");
  CHECK(code_of(made) == errc::not_found);
  CHECK(made.error().field == "dataDirectory");
}
