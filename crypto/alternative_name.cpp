// Alternative names: the values of the six types, checked as strictly as their RFCs write them.
#include "crypto/extensions.hpp"

#include "crypto/der.hpp"
#include "crypto/name.hpp"
#include "crypto/oids.hpp"
#include "crypto/text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace pfx::crypto {

namespace {

constexpr std::size_t value_octets_max = 1024;
constexpr std::size_t host_octets_max = 253; // RFC 1035 2.3.4, without the root's dot
constexpr std::size_t label_octets_max = 63;
constexpr std::size_t mailbox_octets_max = 254; // RFC 5321 4.5.3.1.3, without the brackets
constexpr std::size_t local_part_octets_max = 64;

using reason = std::optional<std::string_view>; ///< why a value is refused

template <class Accept>
bool all_of(std::string_view text, Accept accept) {
  return std::all_of(text.begin(), text.end(), accept);
}

/// LDH labels (RFC 1034 3.5); no wildcard, no underscore, no dot at the end, no address.
reason wrong_host(std::string_view host) {
  if (host.empty() || host.size() > host_octets_max)
    return "a host name has 1 to 253 characters";
  std::string_view label;
  for (std::size_t start = 0; start <= host.size(); start += label.size() + 1) {
    label = host.substr(start, host.find('.', start) - start);
    if (label.empty() || label.size() > label_octets_max)
      return "a label has 1 to 63 characters";
    if (label.front() == '-' || label.back() == '-')
      return "a label cannot begin or end with '-'";
    if (!all_of(label, [](char c) { return is_letter(c) || is_digit(c) || c == '-'; })) {
      return "a host name holds letters, digits, '-' and '.' only";
    }
  }
  if (all_of(label, is_digit))
    return "the last label of a host name is not a number";
  return {};
}

/// RFC 5280 4.2.1.6: Mailbox of RFC 2821; here a dot-atom at a host name.
reason wrong_mailbox(std::string_view mailbox) {
  if (mailbox.size() > mailbox_octets_max)
    return "a mail address has at most 254 characters";
  const std::size_t at = mailbox.rfind('@');
  if (at == std::string_view::npos)
    return "a mail address needs '@'";
  const std::string_view local = mailbox.substr(0, at);
  if (local.empty() || local.size() > local_part_octets_max) {
    return "the part before '@' has 1 to 64 characters";
  }
  constexpr std::string_view specials = "!#$%&'*+-/=?^_`{|}~."; // RFC 5322 3.2.3, and the dot
  const bool atoms = all_of(local, [specials](char c) {
    return is_letter(c) || is_digit(c) || specials.find(c) != std::string_view::npos;
  });
  if (!atoms || local.front() == '.' || local.back() == '.'
      || local.find("..") != std::string_view::npos) {
    return "the part before '@' is no dot-atom";
  }
  return wrong_host(mailbox.substr(at + 1));
}

/// RFC 3986: a scheme, and characters that may stand in a URI.
reason wrong_uri(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon == std::string_view::npos || colon + 1 == uri.size())
    return "a URI needs a scheme and more";
  const std::string_view scheme = uri.substr(0, colon);
  if (scheme.empty() || !is_letter(scheme[0]) || !all_of(scheme, [](char c) {
        return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
      })) {
    return "the scheme of a URI is a letter and then letters, digits, '+', '-' and '.'";
  }
  constexpr std::string_view others = "-._~:/?#[]@!$&'()*+,;=%";
  if (!all_of(uri, [others](char c) {
        return is_letter(c) || is_digit(c) || others.find(c) != std::string_view::npos;
      })) {
    return "a character that cannot stand in a URI";
  }
  for (std::size_t at = uri.find('%'); at != std::string_view::npos; at = uri.find('%', at + 1)) {
    if (uri.size() - at < 3 || !from_hex(uri.substr(at + 1, 2))) {
      return "'%' needs two hexadecimal digits";
    }
  }
  return {};
}

reason wrong_principal(std::string_view upn) {
  if (!utf8_characters(upn))
    return "a user principal name is UTF-8";
  if (has_control(upn))
    return "a user principal name holds no control characters";
  const std::size_t at = upn.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == upn.size() || upn.rfind('@') != at) {
    return "a user principal name is user@domain";
  }
  return {};
}

std::optional<bytes> address_octets(const std::string& text) {
  std::array<std::uint8_t, 16> octets{};
  if (::inet_pton(AF_INET, text.c_str(), octets.data()) == 1) {
    return to_bytes(byte_view(octets).first(4));
  }
  if (::inet_pton(AF_INET6, text.c_str(), octets.data()) == 1)
    return to_bytes(octets);
  return std::nullopt;
}

auto refuse(const std::string& field, std::string_view why) {
  return failure(errc::bad_input, field, std::string(why));
}

result<bytes> text_name(unsigned tag, const std::string& value, const std::string& field,
                        reason wrong) {
  if (wrong)
    return refuse(field, *wrong);
  return der::tlv(der::context(tag), as_bytes(value));
}

result<bytes> principal_name(const std::string& value, const std::string& field) {
  if (const auto wrong = wrong_principal(value))
    return refuse(field, *wrong);
  const bytes type = der::tlv(der::object_identifier, oids::user_principal_name);
  const bytes text = der::tlv(der::utf8_string, as_bytes(value));
  return der::tlv(der::context_constructed(0), {type, der::tlv(der::context_constructed(0), text)});
}

result<bytes> directory_name(const std::string& value, const std::string& field) {
  auto name = name_from_text(value);
  if (!name)
    return failure(name.error().code, field, name.error().message);
  return der::tlv(der::context_constructed(4), *name); // Name is a CHOICE, so [4] is explicit
}

} // namespace

result<bytes> encode_alternative_name(const alternative_name& name, const std::string& field) {
  const std::string& value = name.value;
  if (value.empty())
    return refuse(field, "is empty");
  if (value.find('\0') != std::string::npos)
    return refuse(field, "holds a NUL");
  if (name.type != name_type::directory_name && value.size() > value_octets_max) {
    return failure(errc::too_large, field, "is longer than 1024 octets");
  }
  switch (name.type) {
    case name_type::rfc822:
      return text_name(1, value, field, wrong_mailbox(value));
    case name_type::dns:
      return text_name(2, value, field, wrong_host(value));
    case name_type::uri:
      return text_name(6, value, field, wrong_uri(value));
    case name_type::upn:
      return principal_name(value, field);
    case name_type::directory_name:
      return directory_name(value, field);
    case name_type::ip: {
      const auto octets = address_octets(value);
      if (!octets)
        return refuse(field, "is no IPv4 or IPv6 address");
      return der::tlv(der::context(7), *octets);
    }
  }
  return refuse(field, "is of an unknown type");
}

} // namespace pfx::crypto
