// From an imported PFX to frozen bytes. Everything that needs no key is checked before a key is
// used.
#include "actors/tasks/import_work.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "actors/tasks/use_limits.hpp"
#include "crypto/digest.hpp"
#include "crypto/pkcs12.hpp"
#include "crypto/random.hpp"

namespace pfx::actors::tasks {

namespace {

using crypto::pfx_refusal;
using lifecycle::event;
using lifecycle::event_kind;

constexpr std::size_t friendly_name_octets_max = 256;
constexpr std::size_t recipients_a_line = 8; ///< fingerprints, so that no line is cut when shown
/// Random octets that happen to be padded are longer than any password with such a key, and would
/// be told from those that are not.
constexpr int pkcs1_bits_max = 4096;
constexpr std::uint16_t key_fault_event = 2012;

/// What is wrong with a file, as far as everybody may know it: the file is the sender's own.
error file_fault(const pfx_refusal& from) {
  const auto code = from.why == pfx_refusal::reason::too_much ? errc::too_large
    : from.why == pfx_refusal::reason::unsupported            ? errc::not_supported
                                                              : errc::bad_input;
  return {code, "encryptedPfxBlob", from.what.message};
}

/// The one error for everything that is wrong with the encrypted password.
error not_opened() { return {errc::crypto, "encryptedPfxPassword", "does not open the PFX"}; }

std::string lowered_hex(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

bool is_thumbprint(const std::string& text) {
  return (text.size() == 40 || text.size() == 64)
    && text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
}

/// What can be said without a key and without touching the file.
result<crypto::rsa_padding> check_order(const plant& p, const import_order& order) {
  if (p.keys == nullptr) {
    return failure(errc::not_supported, "kind", "this connector has no key store");
  }
  if (!is_thumbprint(order.thumbprint)) {
    return failure(errc::bad_input, "thumbprint", "must be 40 or 64 hexadecimal digits");
  }
  const auto padding = crypto::rsa_padding_of(order.padding_scheme);
  if (!padding) {
    return failure(errc::policy, "paddingScheme",
                   "must be oaepSha256, oaepSha384 or oaepSha512: "
                     + printable(order.padding_scheme));
  }
  auto key = p.keys->find(order.provider_name, order.key_name);
  if (!key) {
    return failure(key.error());
  }
  if (p.announcement.disputed(key->provider, key->name)) {
    return failure(errc::not_found, "keyName",
                   "the service knows another key by the name of the one that is here");
  }
  if (*padding == crypto::rsa_padding::pkcs1 && key->bits > pkcs1_bits_max) {
    return failure(errc::policy, "paddingScheme",
                   "pkcs1 is not used with keys of more than 4096 bits");
  }
  if (std::find(key->paddings.begin(), key->paddings.end(), *padding) == key->paddings.end()) {
    return failure(errc::policy, "paddingScheme",
                   std::string(name_of(*padding)) + " is not allowed for this key");
  }
  return *padding;
}

std::vector<std::string> fingerprints_of(const pfx_request& request) {
  std::vector<std::string> out;
  for (const auto& one : request.recipients) {
    out.push_back(to_hex(crypto::sha256(one.certificate)));
  }
  return out;
}

/// One line for the use, and as many more as it takes to name every recipient.
void note_use(const plant& p, const request_key& of, const pfx_request& request,
              const std::string& detail) {
  std::string text = "key " + printable(request.import.provider_name) + "/"
    + printable(request.import.key_name) + " used for "
    + printable(lowered_hex(request.import.thumbprint)) + ": " + detail + "; ";
  auto event = audit_event::key_used;
  const auto all = fingerprints_of(request);
  for (std::size_t first = 0; first == 0 || first < all.size(); first += recipients_a_line) {
    const auto end = std::min(all.size(), first + recipients_a_line);
    text += "recipients " + std::to_string(first + 1) + " to " + std::to_string(end) + " of "
      + std::to_string(all.size()) + ":";
    for (std::size_t i = first; i < end; ++i) {
      text += " " + all[i];
    }
    p.audit.put(of, {event, std::exchange(text, {})});
    event = audit_event::key_used_for;
  }
}

std::string usable_name(const crypto::pfx_identity& of) {
  const auto& name = of.friendly_name;
  const bool usable = !name.empty() && name.size() <= friendly_name_octets_max
    && std::none_of(name.begin(), name.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return usable ? name : of.leaf.common_name().empty() ? of.leaf.serial() : of.leaf.common_name();
}

struct outgoing_file {
  bytes octets;
  secret_bytes password;
};

/// Unchanged, with the password it came with; or written anew in the profile that was asked for,
/// with a password of our own, which every reader takes.
result<outgoing_file> file_for_devices(const pfx_request& request, import_opening& opened) {
  if (request.profile == pfx_profile::unchanged) {
    return outgoing_file{request.import.encrypted_pfx, std::move(opened.password)};
  }
  outgoing_file out{{}, crypto::random_password()};
  const auto& what = *opened.identity;
  auto built
    = crypto::build_pkcs12({what.key, what.leaf, what.chain, usable_name(what), out.password},
                           crypto::pkcs12_options::of(request.profile));
  if (!built) {
    return failure(built.error());
  }
  out.octets = std::move(*built);
  return out;
}

event deliver(const plant& p, const record& of, const pfx_request& request,
              import_opening& opened) {
  auto file = file_for_devices(request, opened);
  if (!file) {
    return fault_of_work(file.error());
  }
  request_result document;
  document.succeeded = true;
  auto wrapped = wrap_for_recipients(p, request, file->password.view());
  if (!wrapped) {
    return fault_of_work(wrapped.error());
  }
  document.encrypted_pfx = std::move(file->octets);
  document.deliveries = std::move(*wrapped);
  auto out = freeze(p, of.key, document);
  if (out.kind == event_kind::build_failed) {
    out.kind = event_kind::work_failed;
  }
  return out;
}

/// The key store does not give the key: its trouble, not the request's. Tried again; in the end it
/// goes back, since another connector of the tenant may have the key. The words (paths) stay here.
event fault_of_keys(const plant& p, const record& of, const error& why) {
  if (of.attempts < p.rules.attempts_max) {
    return failed(event_kind::work_failed, why);
  }
  p.tell({report::channel::operational, report::level::error, key_fault_event, p.time->wall(),
          printable(of.key.context), "", 0, "key store: " + to_string(why)});
  return refused({errc::io, "keyName", "this connector cannot read the key now"}, true);
}

event verdict_of(const plant& p, const record& of, const pfx_request& request,
                 import_opening& opened) {
  switch (opened.how) {
    case import_opening::end::opened:
      return deliver(p, of, request, opened);
    case import_opening::end::refused:
      return refused(opened.why);
    case import_opening::end::slow:
      return event{.kind = event_kind::work_slow};
    case import_opening::end::failed:
      break;
  }
  return fault_of_keys(p, of, opened.why);
}

event fault_of_order(const plant& p, const record& of, const error& why) {
  if (why.code == errc::not_found) { // another connector of the tenant may have the key
    return refused(why, true);
  }
  return is_final(why.code) ? refused(why) : fault_of_keys(p, of, why);
}

/// What a use is counted under: the thumbprint, the ciphertext, the recipients.
struct counted_use {
  std::vector<std::string> secrets;
  std::vector<std::string> recipients;
};

counted_use counted(const pfx_request& request) {
  return {{lowered_hex(request.import.thumbprint),
           to_hex(crypto::sha256(request.import.encrypted_password))},
          fingerprints_of(request)};
}

/// Whatever becomes of it, that the key was used stands in the audit.
import_opening open_and_note(const plant& p, const request_key& of, const pfx_request& request,
                             const crypto::pfx_file& file, std::int64_t iterations_budget) {
  ++p.totals.keys_used;
  try {
    auto opened = open_imported(*p.keys, request.import, file, iterations_budget);
    note_use(p, of, request, opened.detail);
    return opened;
  } catch (const std::exception& thrown) {
    note_use(p, of, request, "exception: " + printable(thrown.what(), 200));
    throw;
  }
}

} // namespace

import_opening open_imported(const crypto::key_store& keys, const import_order& order,
                             const crypto::pfx_file& file, std::int64_t iterations_budget) {
  import_opening out;
  const auto padding = crypto::rsa_padding_of(order.padding_scheme);
  auto plain
    = keys.decrypt(order.provider_name, order.key_name,
                   padding.value_or(crypto::rsa_padding::oaep_sha256), order.encrypted_password);
  if (!plain) {
    out.how
      = is_final(plain.error().code) ? import_opening::end::refused : import_opening::end::failed;
    out.why = plain.error();
    out.detail = "not decrypted: " + printable(to_string(plain.error()), 200);
    return out;
  }
  // Whether the octets are the plaintext is not looked at: random ones do not open the file.
  auto contents = file.open(plain->octets, iterations_budget);
  if (!contents) {
    using reason = pfx_refusal::reason;
    const auto& refusal = contents.error();
    out.how = refusal.why == reason::needs_time ? import_opening::end::slow
                                                : import_opening::end::refused;
    out.why = refusal.why == reason::not_opened ? not_opened() : file_fault(refusal);
    out.detail = std::string(plain->opened ? "" : "the ciphertext is bad; ")
      + printable(refusal.what.message, 200);
    return out;
  }
  const bool transcoded = contents->password_transcoded;
  auto identity = crypto::take_identity(std::move(*contents), order.thumbprint);
  if (!identity) {
    out.how = import_opening::end::refused;
    out.why = identity.error();
    out.detail = "opened, but " + printable(to_string(identity.error()), 200);
    return out;
  }
  out.how = import_opening::end::opened;
  out.identity.emplace(std::move(*identity));
  out.password = std::move(plain->octets);
  out.detail = transcoded ? "opened with its password read as Latin-1" : "opened";
  return out;
}

event import_pfx(const plant& p, const record& of, const pfx_request& request,
                 std::int64_t iterations_budget) {
  if (auto padding = check_order(p, request.import); !padding) {
    return fault_of_order(p, of, padding.error());
  }
  if (auto admitted = admit_recipients(p, of.key, request); !admitted) {
    return fault_of_work(admitted.error());
  }
  auto file = crypto::pfx_file::parse(request.import.encrypted_pfx);
  if (!file) {
    return refused(file_fault(file.error()));
  }
  if (!file->has_mac()) { // before a key is used: anything later would be a padding oracle
    return refused({errc::policy, "encryptedPfxBlob",
                    "has no MAC: files that can be changed unnoticed are not imported"});
  }
  if (file->known_iterations() > iterations_budget) {
    return event{.kind = event_kind::work_slow};
  }
  const auto use = counted(request);
  if (p.uses != nullptr) {
    if (auto taken = p.uses->take(use.secrets, use.recipients, p.time->boot()); !taken) {
      p.audit.put(of.key, {audit_event::use_limited, printable(to_string(taken.error()), 200)});
      auto out = refused(taken.error(), true);
      out.code = service_code::service_too_busy;
      return out;
    }
  }
  auto opened = open_and_note(p, of.key, request, *file, iterations_budget);
  if (opened.how == import_opening::end::slow && p.uses != nullptr) {
    p.uses->give_back(use.secrets, use.recipients, p.time->boot()); // the slow lane counts it
  }
  return verdict_of(p, of, request, opened);
}

} // namespace pfx::actors::tasks
