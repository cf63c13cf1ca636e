// X.509 by hand (RFC 5280 4.1). Refuses anything that is not where the RFC puts it.
#include "sandbox/reading.hpp"

#include <algorithm>

#include "connect/ca/der.hpp"

namespace pfx::sandbox {

namespace der = connect::ca::der;

namespace {

constexpr std::uint8_t sequence_tag = 0x30;
constexpr std::string_view upn_oid = "1.3.6.1.4.1.311.20.2.3";
constexpr std::string_view sid_value_oid = "1.3.6.1.4.1.311.25.2.1";

std::optional<std::vector<der::element>> parts_of(byte_view octets,
                                                  std::uint8_t tag = sequence_tag) {
  const auto whole = der::only(octets);
  return whole && whole->tag == tag ? der::children(whole->value) : std::nullopt;
}

/// A character string of the types that a Name may hold here; T61 and BMP are not made by anybody.
std::optional<std::string> string_of(const der::element& one) {
  const bool known = one.tag == 0x0c || one.tag == 0x13 || one.tag == 0x16;
  return known ? std::optional(pfx::to_text(one.value)) : std::nullopt;
}

std::optional<full_name> name_of_der(byte_view octets) {
  const auto sets = parts_of(octets);
  if (!sets) {
    return std::nullopt;
  }
  full_name out;
  for (const auto& set : *sets) {
    const auto members = set.tag == 0x31 ? der::children(set.value) : std::nullopt;
    if (!members || members->empty()) {
      return std::nullopt;
    }
    relative_name one;
    for (const auto& member : *members) {
      const auto pair = parts_of(member.whole);
      const auto value = pair && pair->size() == 2 ? string_of((*pair)[1]) : std::nullopt;
      if (!value || pair->front().tag != 0x06) {
        return std::nullopt;
      }
      one.push_back({der::dotted(pair->front().value), *value});
    }
    std::sort(one.begin(), one.end());
    out.push_back(std::move(one));
  }
  return out;
}

/// UTCTime or GeneralizedTime in the forms that RFC 5280 4.1.2.5 allows.
std::optional<unix_ms> moment_of(const der::element& one) {
  auto text = pfx::to_text(one.value);
  if (one.tag == 0x17 && text.size() == 13) {
    text = (text[0] >= '5' ? "19" : "20") + text;
  } else if (one.tag != 0x18) {
    return std::nullopt;
  }
  if (text.size() != 15 || text.back() != 'Z'
      || !std::all_of(text.begin(), text.end() - 1, [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  const auto moment
    = from_rfc3339(text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 2) + "T"
                   + text.substr(8, 2) + ":" + text.substr(10, 2) + ":" + text.substr(12, 2) + "Z");
  return moment ? std::optional(*moment) : std::nullopt;
}

/// OtherName: { type-id, [0] EXPLICIT value }; the value's string if `oid` is its type.
std::optional<std::string> other_name(byte_view contents, std::string_view oid, std::uint8_t tag) {
  const auto parts = der::children(contents);
  if (!parts || parts->size() != 2 || der::dotted(parts->front().value) != oid
      || (*parts)[1].tag != 0xa0) {
    return std::nullopt;
  }
  const auto value = der::only((*parts)[1].value);
  return value && value->tag == tag ? std::optional(pfx::to_text(value->value)) : std::nullopt;
}

bool add_general_name(const der::element& one, seen_certificate& out) {
  const auto text = pfx::to_text(one.value);
  auto& names = out.alternative_names;
  switch (one.tag) {
    case 0x81:
      names.push_back({name_type::rfc822, text, {}});
      return true;
    case 0x82:
      names.push_back({name_type::dns, text, {}});
      return true;
    case 0x86:
      names.push_back({name_type::uri, text, {}});
      return true;
    case 0x87:
      names.push_back({name_type::ip, text, {}});
      return true;
    case 0xa4: {
      auto name = name_of_der(one.value);
      if (name) {
        names.push_back({name_type::directory_name, {}, std::move(*name)});
      }
      return name.has_value();
    }
    case 0xa0: {
      const auto upn = other_name(one.value, upn_oid, 0x0c);
      if (upn) {
        names.push_back({name_type::upn, *upn, {}});
      }
      return upn.has_value();
    }
    default:
      out.unknown_names.push_back(to_hex(one.whole));
      return true;
  }
}

bool read_alternative_names(byte_view value, seen_certificate& out) {
  const auto names = parts_of(value);
  return names && std::all_of(names->begin(), names->end(), [&](const auto& one) {
           return add_general_name(one, out);
         });
}

bool read_key_usage(byte_view value, seen_certificate& out) {
  const auto bits = der::only(value);
  if (!bits || bits->tag != 0x03 || bits->value.size() < 2 || bits->value.size() > 3) {
    return false;
  }
  key_usages seen = 0;
  for (std::size_t bit = 0; bit < (bits->value.size() - 1) * 8; ++bit) {
    if ((bits->value[1 + bit / 8] >> (7 - bit % 8) & 1) != 0) {
      seen = static_cast<key_usages>(seen | (1u << bit));
    }
  }
  out.usages = seen;
  return true;
}

bool read_extended_usages(byte_view value, seen_certificate& out) {
  const auto usages = parts_of(value);
  if (!usages) {
    return false;
  }
  for (const auto& one : *usages) {
    out.extended_usages.push_back(der::dotted(one.value));
  }
  return true;
}

/// GeneralNames { otherName { sid oid, [0] OCTET STRING } } (MS-WCCE 2.2.2.7.7.4).
bool read_security_identifier(byte_view value, seen_certificate& out) {
  const auto names = parts_of(value);
  if (!names || names->size() != 1 || names->front().tag != 0xa0) {
    return false;
  }
  const auto sid = other_name(names->front().value, sid_value_oid, 0x04);
  out.security_identifier = sid.value_or("");
  return sid.has_value();
}

bool read_basic_constraints(byte_view value, seen_certificate& out) {
  const auto parts = parts_of(value);
  out.is_ca = parts && !parts->empty() && parts->front().tag == 0x01
    && parts->front().value.size() == 1 && parts->front().value[0] != 0;
  return parts.has_value();
}

bool read_extensions(byte_view octets, seen_certificate& out) {
  const auto list = der::extensions(octets);
  if (!list) {
    return false;
  }
  for (const auto& one : *list) {
    if (one.critical) {
      out.critical.push_back(one.oid);
    }
    const bool good = one.oid == "2.5.29.15" ? read_key_usage(one.value, out)
      : one.oid == "2.5.29.17"               ? read_alternative_names(one.value, out)
      : one.oid == "2.5.29.19"               ? read_basic_constraints(one.value, out)
      : one.oid == "2.5.29.37"               ? read_extended_usages(one.value, out)
      : one.oid == "1.3.6.1.4.1.311.25.2"    ? read_security_identifier(one.value, out)
                                             : true;
    if (!good) {
      return false;
    }
  }
  return true;
}

} // namespace

std::optional<seen_certificate> read_certificate(byte_view octets) {
  const auto certificate = parts_of(octets);
  const auto fields
    = certificate && certificate->size() == 3 ? parts_of(certificate->front().whole) : std::nullopt;
  // [0] version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, …, [3]
  if (!fields || fields->size() < 7 || fields->front().tag != 0xa0) {
    return std::nullopt;
  }
  const auto issuer = name_of_der((*fields)[3].whole);
  const auto validity = parts_of((*fields)[4].whole);
  const auto subject = name_of_der((*fields)[5].whole);
  if (!issuer || !subject || !validity || validity->size() != 2) {
    return std::nullopt;
  }
  const auto start = moment_of((*validity)[0]);
  const auto end = moment_of((*validity)[1]);
  if (!start || !end) {
    return std::nullopt;
  }
  seen_certificate out;
  out.issuer = *issuer;
  out.subject = *subject;
  out.not_before = *start;
  out.not_after = *end;
  out.public_key = to_bytes((*fields)[6].whole);
  if (fields->back().tag == 0xa3 && !read_extensions(fields->back().value, out)) {
    return std::nullopt;
  }
  return out;
}

std::string to_text(const full_name& name) {
  std::string out;
  for (const auto& rdn : name) {
    std::string piece;
    for (const auto& one : rdn) {
      piece += (piece.empty() ? "" : " + ") + one.oid + "=" + printable(one.value);
    }
    out += (out.empty() ? "" : ", ") + piece;
  }
  return out;
}

} // namespace pfx::sandbox
