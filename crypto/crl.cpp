// CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue }, written as DER
// from raw parts and read without building OpenSSL's object.
#include "crypto/crl.hpp"

#include "crypto/extensions.hpp"
#include "crypto/name.hpp"
#include "crypto/oids.hpp"
#include "crypto/sign.hpp"
#include "crypto/x509_values.hpp"

#include <algorithm>
#include <array>

namespace pfx::crypto {

namespace {

constexpr std::uint8_t reason_max = 10; // aACompromise
constexpr std::uint8_t reason_unused = 7;
constexpr std::uint8_t remove_from_crl = 8; // in delta lists alone

auto refuse(std::string field, std::string why) {
  return failure(errc::bad_input, std::move(field), std::move(why));
}
auto malformed(std::string_view what) {
  return failure(errc::bad_input, "crl", "malformed " + std::string(what));
}

/// Serials as numbers: fewer digits are less.
bool less_serial(std::string_view left, std::string_view right) {
  return left.size() != right.size() ? left.size() < right.size() : left < right;
}
bool by_serial(const revoked_certificate& left, const revoked_certificate& right) {
  return less_serial(left.serial, right.serial);
}

bool is_reason(std::uint8_t value) {
  return value <= reason_max && value != reason_unused && value != remove_from_crl;
}

// -- writing ------

result<bytes> entry_extensions(const revoked_certificate& one) {
  bytes content;
  if (one.reason != 0) {
    const std::array<std::uint8_t, 3> value{der::enumerated, 0x01, one.reason};
    der::append(content, encode_extension(oids::crl_reason, false, value));
  }
  if (one.invalid_since != 0) {
    const auto value = encode_generalized_time(one.invalid_since, "invalidSince");
    if (!value)
      return failure(value.error());
    der::append(content, encode_extension(oids::invalidity_date, false, *value));
  }
  return content.empty() ? content : der::tlv(der::sequence, content);
}

result<bytes> encode_entry(const revoked_certificate& one) {
  const auto serial = serial_integer(one.serial);
  if (!serial || one.serial[0] == '0')
    return refuse("serial", "is no serial number in hexadecimal");
  if (!is_reason(one.reason))
    return refuse("reason", "is no CRLReason of a whole list");
  const auto date = encode_time(one.revoked_at, "revokedAt");
  auto extensions = entry_extensions(one);
  if (!date || !extensions)
    return failure(date ? extensions.error() : date.error());
  return der::tlv(der::sequence, {*serial, *date, *extensions});
}

/// The SEQUENCE of lines; empty if there are none, as RFC 5280 5.1.2.6 wants it.
result<bytes> encode_entries(std::vector<revoked_certificate> revoked) {
  std::sort(revoked.begin(), revoked.end(), by_serial);
  bytes content;
  for (std::size_t at = 0; at < revoked.size(); ++at) {
    const std::string place = "revoked[" + std::to_string(at) + "].";
    if (at > 0 && revoked[at].serial == revoked[at - 1].serial)
      return refuse(place + "serial", "stands twice");
    const auto one = encode_entry(revoked[at]);
    if (!one)
      return refuse(place + one.error().field, one.error().message);
    der::append(content, *one);
  }
  return content.empty() ? content : der::tlv(der::sequence, content);
}

bool may_sign_lists(const certificate& issuer) {
  return (issuer.usages() & static_cast<key_usages>(key_usage::crl_sign)) != 0;
}

bytes number_extension(std::uint64_t number) {
  std::array<std::uint8_t, 8> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i)
    octets[i] = static_cast<std::uint8_t>(number >> (8 * (octets.size() - 1 - i)));
  return encode_extension(oids::crl_number, false, der::unsigned_integer(octets));
}

// -- reading ------

/// Reason and invalidity date; a critical extension of any other kind ends the reading.
result<void> read_entry_extensions(byte_view content, revoked_certificate& into) {
  const auto all = read_extensions(content);
  if (!all)
    return malformed("extensions of an entry");
  for (const auto& one : *all) {
    if (std::ranges::equal(one.oid, oids::crl_reason)) {
      const auto value = der::only(one.value, der::enumerated);
      if (!value || value->content.size() != 1 || !is_reason(value->content[0]))
        return malformed("reason");
      into.reason = value->content[0];
    } else if (std::ranges::equal(one.oid, oids::invalidity_date)) {
      const auto value = der::only(one.value, der::generalized_time);
      const auto moment = value ? moment_of(*value) : std::nullopt;
      if (!moment)
        return malformed("invalidity date");
      into.invalid_since = *moment;
    } else if (one.critical) {
      return failure(errc::not_supported, "crl",
                     "an entry has the critical extension " + der::dotted(one.oid));
    }
  }
  return {};
}

result<revoked_certificate> read_entry(const der::element& entry) {
  der::reader walk(entry.content);
  const auto serial = walk.next(der::integer);
  const auto date = walk.next();
  const auto extensions = walk.next(der::sequence);
  const auto moment = date ? moment_of(*date) : std::nullopt;
  if (!serial || serial->content.empty() || serial->content.size() > serial_octets_max + 1
      || !moment || !walk.at_end()) {
    return malformed("entry");
  }
  revoked_certificate out{serial_text(serial->content), *moment, 0, 0};
  if (extensions) {
    if (auto read = read_entry_extensions(extensions->content, out); !read)
      return failure(read.error());
  }
  return out;
}

result<void> read_entries(byte_view content, revocation_list& into) {
  der::reader walk(content);
  while (!walk.at_end()) {
    const auto one = walk.next(der::sequence);
    if (!one)
      return malformed("list of entries");
    if (into.revoked.size() == crl_entries_max)
      return failure(errc::too_large, "crl", "has more than 250,000 entries");
    auto entry = read_entry(*one);
    if (!entry)
      return failure(entry.error());
    into.revoked.push_back(std::move(*entry));
  }
  auto& all = into.revoked;
  std::sort(all.begin(), all.end(), by_serial);
  const auto twice = std::adjacent_find(
    all.begin(), all.end(), [](const auto& a, const auto& b) { return a.serial == b.serial; });
  return twice == all.end() ? result<void>() : result<void>(malformed("list: a serial twice"));
}

/// A list with one of these says less than a whole one, whatever its criticality says: to read it
/// as whole would take what it leaves out for good.
bool says_part(byte_view oid) {
  return std::ranges::equal(oid, oids::delta_crl_indicator)
    || std::ranges::equal(oid, oids::issuing_distribution_point);
}

result<void> read_list_extensions(byte_view content, revocation_list& into) {
  const auto list = der::only(content, der::sequence);
  const auto all = list ? read_extensions(list->content) : std::nullopt;
  if (!all)
    return malformed("extensions");
  for (const auto& one : *all) {
    if (std::ranges::equal(one.oid, oids::crl_number)) {
      const auto value = der::only(one.value, der::integer);
      if (!value || value->content.empty() || value->content.size() > serial_octets_max + 1
          || (value->content[0] & 0x80) != 0) {
        return malformed("CRLNumber");
      }
      into.number = serial_text(value->content);
    } else if (std::ranges::equal(one.oid, oids::authority_key_identifier)) {
      const auto value = der::only(one.value, der::sequence);
      if (!value)
        return malformed("authorityKeyIdentifier");
      const auto key = der::reader(value->content).next(der::context(0));
      into.authority_key = key ? to_bytes(key->content) : bytes();
    } else if (one.critical || says_part(one.oid)) {
      return failure(errc::not_supported, "crl", "has the extension " + der::dotted(one.oid));
    }
  }
  return {};
}

struct list_frame {
  der::element to_be_signed;
  der::element algorithm;
  der::element signature;
};

std::optional<list_frame> read_frame(byte_view der) {
  const auto outer = der::only(der, der::sequence);
  if (!outer)
    return std::nullopt;
  der::reader walk(outer->content);
  const auto tbs = walk.next(der::sequence);
  const auto algorithm = walk.next(der::sequence);
  const auto signature = walk.next(der::bit_string);
  if (!tbs || !algorithm || !signature || !walk.at_end())
    return std::nullopt;
  return list_frame{*tbs, *algorithm, *signature};
}

/// TBSCertList, after its signature was verified.
result<revocation_list> read_list(const list_frame& frame, byte_view issuer) {
  der::reader walk(frame.to_be_signed.content);
  const auto version = walk.next(der::integer);
  const auto algorithm = walk.next(der::sequence);
  const auto name = walk.next(der::sequence);
  const auto from = walk.next();
  if (!version || !algorithm || !name || !from)
    return malformed("list");
  if (version->content.size() != 1 || version->content[0] != 1)
    return failure(errc::not_supported, "crl", "is not of version 2");
  if (!std::ranges::equal(algorithm->whole, frame.algorithm.whole)) // RFC 5280 5.1.1.2
    return malformed("list: it names two signature algorithms");
  if (!std::ranges::equal(name->whole, issuer))
    return failure(errc::policy, "crl", "is of another issuer");
  revocation_list out;
  const auto text = name_to_text(name->whole);
  const auto this_update = moment_of(*from);
  if (!text || !this_update)
    return malformed("issuer or thisUpdate");
  out.issuer = *text;
  out.this_update = *this_update;
  if (walk.peek() == der::utc_time || walk.peek() == der::generalized_time) {
    const auto until = walk.next();
    const auto next_update = until ? moment_of(*until) : std::nullopt;
    if (!next_update || *next_update <= out.this_update)
      return malformed("nextUpdate");
    out.next_update = *next_update;
  }
  const auto entries = walk.next(der::sequence);
  const auto extensions = walk.next(der::context_constructed(0));
  if (!walk.at_end())
    return malformed("list");
  auto read = entries ? read_entries(entries->content, out) : result<void>();
  if (read && extensions)
    read = read_list_extensions(extensions->content, out);
  return read ? result<revocation_list>(std::move(out)) : failure(read.error());
}

} // namespace

result<bytes> make_crl(const ca_identity& issuer, const crl_options& options) {
  if (!issuer.cert.matches(issuer.key) || !may_sign_lists(issuer.cert)) {
    return refuse("issuer", "is no CA certificate that may sign lists, with its own key");
  }
  if (options.number == 0)
    return refuse("number", "is zero");
  if (options.next_update <= options.this_update)
    return refuse("nextUpdate", "is not after thisUpdate");
  if (options.revoked.size() > crl_entries_max)
    return failure(errc::too_large, "revoked", "are more than 250,000 certificates");
  ::EVP_PKEY* key = detail::access::pkey(issuer.key);
  const auto algorithm = signature_algorithm(key, hash_algorithm::sha256);
  const auto from = encode_time(options.this_update, "thisUpdate");
  const auto until = encode_time(options.next_update, "nextUpdate");
  const auto entries = encode_entries(options.revoked);
  if (!algorithm || !from || !until || !entries) {
    return failure(!algorithm ? algorithm.error()
                     : !from  ? from.error()
                     : !until ? until.error()
                              : entries.error());
  }
  const bytes extensions = der::tlv(
    der::sequence,
    {authority_key_extension(identifier_of(issuer.cert)), number_extension(options.number)});
  static constexpr std::uint8_t version_2[] = {der::integer, 0x01, 0x01};
  const bytes list
    = der::tlv(der::sequence,
               {version_2, *algorithm, detail::access::subject_der(issuer.cert), *from, *until,
                *entries, der::tlv(der::context_constructed(0), extensions)});
  return sign_structure(list, key, hash_algorithm::sha256);
}

const revoked_certificate* revocation_list::find(std::string_view serial) const {
  const auto at = std::lower_bound(revoked.begin(), revoked.end(), serial,
                                   [](const revoked_certificate& one, std::string_view wanted) {
                                     return less_serial(one.serial, wanted);
                                   });
  return at != revoked.end() && at->serial == serial ? &*at : nullptr;
}

result<revocation_list> read_crl(byte_view der, const certificate& issuer) {
  const queue_guard guard;
  if (der.size() > crl_bytes_max)
    return failure(errc::too_large, "crl", "is larger than 32 MiB");
  if (!may_sign_lists(issuer)) // RFC 5280 6.3.3 (f)
    return failure(errc::policy, "crl", "is of an issuer whose key may not sign lists");
  const auto frame = read_frame(der);
  if (!frame)
    return malformed("frame");
  if (auto verified = verify_structure(frame->to_be_signed.whole, frame->algorithm.whole,
                                       frame->signature.content, detail::access::pkey(issuer));
      !verified) {
    return failure(verified.error());
  }
  return read_list(*frame, detail::access::subject_der(issuer));
}

} // namespace pfx::crypto
