// RFC 4514 strings into DER Names: a strict parser that says where it stopped. Refuses what would
// be read in two ways: unescaped specials, `;` as separator, empty values, NUL, malformed UTF-8.
#include "crypto/name.hpp"

#include "crypto/attributes.hpp"
#include "crypto/der.hpp"
#include "crypto/text.hpp"

#include <algorithm>

namespace pfx::crypto {

namespace {

constexpr std::size_t text_octets_max = 8192;
constexpr std::size_t values_max = 64;
constexpr std::size_t unknown_value_characters_max = 1024;

struct assertion {
  bytes oid;   ///< OBJECT IDENTIFIER, DER
  bytes whole; ///< AttributeTypeAndValue, DER
};

class name_parser {
public:
  explicit name_parser(std::string_view text) noexcept : text_(text) {}
  result<bytes> parse();

private:
  struct attribute {
    bytes oid;
    const attribute_type* known = nullptr;
  };

  result<bytes> relative_name();
  result<assertion> type_and_value();
  result<attribute> type();
  result<bytes> value(const attribute& of);
  result<std::string> plain();
  result<std::string> quoted();
  result<char> escaped();
  result<bytes> hexadecimal(const attribute& of);
  result<bytes> encoded(const attribute& of, const std::string& value, std::size_t start) const;
  result<void> fits(const attribute& of, std::string_view value, std::size_t start) const;

  [[nodiscard]] bool at_end() const noexcept { return at_ == text_.size(); }
  [[nodiscard]] char here() const noexcept { return text_[at_]; }
  void skip_spaces() noexcept {
    while (!at_end() && here() == ' ')
      ++at_;
  }
  [[nodiscard]] static tl::unexpected<error> wrong_at(std::size_t position, std::string why) {
    return failure(errc::bad_input, "subject",
                   "at position " + std::to_string(position + 1) + ": " + std::move(why));
  }
  [[nodiscard]] tl::unexpected<error> wrong(std::string why) const {
    return wrong_at(at_, std::move(why));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t values_ = 0;
};

result<bytes> name_parser::parse() {
  if (text_.size() > text_octets_max) {
    return failure(errc::too_large, "subject", "is longer than 8192 octets");
  }
  bytes content;
  while (!text_.empty()) {
    auto name = relative_name();
    if (!name)
      return name;
    // The text is most specific first, the Name most specific last (RFC 4514 2.1).
    content.insert(content.begin(), name->begin(), name->end());
    if (at_end())
      break;
    if (here() == ';')
      return wrong("';' must be escaped");
    if (here() != ',')
      return wrong("',' or '+' is expected");
    ++at_;
  }
  return der::tlv(der::sequence, content);
}

result<bytes> name_parser::relative_name() {
  std::vector<assertion> parts;
  while (true) {
    auto part = type_and_value();
    if (!part)
      return failure(std::move(part).error());
    const bool twice = std::any_of(parts.begin(), parts.end(), [&part](const assertion& other) {
      return other.oid == part->oid;
    });
    if (twice)
      return wrong("an attribute type stands twice in one multi-valued part");
    parts.push_back(std::move(*part));
    if (at_end() || here() != '+')
      break;
    ++at_;
  }
  // DER: the elements of a SET OF in ascending order of their octets (X.690 11.6).
  std::sort(parts.begin(), parts.end(),
            [](const assertion& a, const assertion& b) { return a.whole < b.whole; });
  bytes content;
  for (const assertion& part : parts)
    der::append(content, part.whole);
  return der::tlv(der::set, content);
}

result<assertion> name_parser::type_and_value() {
  if (++values_ > values_max)
    return failure(errc::too_large, "subject", "has more than 64 values");
  auto of = type();
  if (!of)
    return failure(std::move(of).error());
  skip_spaces();
  if (at_end() || here() != '=')
    return wrong("'=' is expected");
  ++at_;
  auto encoded_value = value(*of);
  if (!encoded_value)
    return failure(std::move(encoded_value).error());
  bytes whole = der::tlv(der::sequence, {of->oid, *encoded_value});
  return assertion{std::move(of->oid), std::move(whole)};
}

result<name_parser::attribute> name_parser::type() {
  skip_spaces();
  const std::size_t start = at_;
  while (!at_end() && (is_letter(here()) || is_digit(here()) || here() == '-' || here() == '.'))
    ++at_;
  const std::string_view word = text_.substr(start, at_ - start);
  if (word.empty())
    return wrong("an attribute type is expected");
  if (const attribute_type* known = attribute_named(word)) {
    return attribute{der::tlv(der::object_identifier, as_bytes(known->oid)), known};
  }
  auto oid = is_digit(word[0]) ? der::oid(word) : std::nullopt;
  if (!oid)
    return wrong_at(start, "unknown attribute type '" + printable(word, 40) + "'");
  const auto content = der::only(*oid, der::object_identifier)->content;
  const attribute_type* known = attribute_with_oid(content);
  return attribute{std::move(*oid), known};
}

result<bytes> name_parser::value(const attribute& of) {
  skip_spaces();
  const std::size_t start = at_;
  if (!at_end() && here() == '#')
    return hexadecimal(of);
  auto text = !at_end() && here() == '"' ? quoted() : plain();
  if (!text)
    return failure(std::move(text).error());
  return encoded(of, *text, start);
}

result<std::string> name_parser::plain() {
  std::string out;
  std::size_t kept = 0; // up to the last octet that is no unescaped space
  while (!at_end() && here() != ',' && here() != '+' && here() != ';') {
    if (here() == '\\') {
      const auto octet = escaped();
      if (!octet)
        return failure(octet.error());
      out += *octet;
      kept = out.size();
      continue;
    }
    if (here() == '"' || here() == '<' || here() == '>') {
      return wrong(std::string("'") + here() + "' must be escaped");
    }
    if (here() != ' ')
      kept = out.size() + 1;
    out += text_[at_++];
  }
  out.resize(kept);
  return out;
}

result<std::string> name_parser::quoted() {
  const std::size_t start = at_++;
  std::string out;
  while (!at_end() && here() != '"') {
    if (here() == '\\') {
      const auto octet = escaped();
      if (!octet)
        return failure(octet.error());
      out += *octet;
      continue;
    }
    out += text_[at_++];
  }
  if (at_end())
    return wrong_at(start, "the quotation mark is never closed");
  ++at_;
  skip_spaces();
  return out;
}

result<char> name_parser::escaped() {
  constexpr std::string_view specials = "\"+,;<>\\ #=";
  const std::size_t start = at_++;
  if (at_end())
    return wrong_at(start, "a backslash at the end");
  if (specials.find(here()) != std::string_view::npos)
    return text_[at_++];
  const auto octet = from_hex(text_.substr(at_, 2));
  if (text_.size() - at_ < 2 || !octet || octet->size() != 1) {
    return wrong_at(start, "a backslash needs a special character or two hexadecimal digits");
  }
  at_ += 2;
  return static_cast<char>(octet->front());
}

result<bytes> name_parser::hexadecimal(const attribute& of) {
  const std::size_t start = at_++;
  const std::size_t digits = at_;
  while (!at_end() && here() != ',' && here() != '+' && here() != ' ')
    ++at_;
  auto octets = from_hex(text_.substr(digits, at_ - digits));
  skip_spaces();
  if (!octets)
    return wrong_at(start, "'#' needs pairs of hexadecimal digits");
  der::reader walk(*octets);
  const auto element = walk.next();
  if (!element || !walk.at_end() || element->content.empty()) {
    return wrong_at(start, "the hexadecimal value is not one DER element with content");
  }
  const std::string text = to_text(element->content);
  const bool utf8 = element->tag == der::utf8_string;
  const bool printable_kind = element->tag == der::printable_string;
  const bool ia5 = element->tag == der::ia5_string;
  const bool bmp = element->tag == der::bmp_string;
  if (!utf8 && !printable_kind && !ia5 && !bmp) {
    // Certificates with other types in their names are refused by OpenSSL's reader.
    return wrong_at(start, "the hexadecimal value is no UTF8, Printable, IA5 or BMP string");
  }
  if ((utf8 && !utf8_characters(text)) || (printable_kind && !is_printable_string(text))
      || (ia5 && !is_ascii(text)) || (bmp && text.size() % 2 != 0)) {
    return wrong_at(start, "the hexadecimal value does not fit its string type");
  }
  if (of.known == nullptr)
    return octets;
  const bool right_type = of.known->syntax == attribute_syntax::ia5 ? ia5
    : of.known->syntax == attribute_syntax::directory               ? utf8 || printable_kind
                                                                    : printable_kind;
  if (!right_type)
    return wrong_at(start, "the hexadecimal value is of the wrong string type");
  if (auto fit = fits(of, text, start); !fit)
    return failure(std::move(fit).error());
  return octets;
}

result<void> name_parser::fits(const attribute& of, std::string_view value,
                               std::size_t start) const {
  const auto characters = utf8_characters(value);
  if (!characters)
    return wrong_at(start, "the value is not UTF-8");
  if (*characters == 0)
    return wrong_at(start, "the value is empty");
  if (value.find('\0') != std::string_view::npos)
    return wrong_at(start, "the value holds a NUL");
  const std::size_t most
    = of.known != nullptr ? of.known->characters_max : unknown_value_characters_max;
  if (*characters > most) {
    return wrong_at(start, "the value is longer than " + std::to_string(most) + " characters");
  }
  if (of.known == nullptr)
    return {};
  switch (of.known->syntax) {
    case attribute_syntax::directory:
      break;
    case attribute_syntax::printable:
      if (!is_printable_string(value))
        return wrong_at(start, "the value is no PrintableString");
      break;
    case attribute_syntax::country:
      if (value.size() != 2 || !is_letter(value[0]) || !is_letter(value[1])) {
        return wrong_at(start, "a country is two letters");
      }
      break;
    case attribute_syntax::ia5:
      if (!is_ascii(value) || has_control(value))
        return wrong_at(start, "the value is not ASCII");
      break;
  }
  return {};
}

result<bytes> name_parser::encoded(const attribute& of, const std::string& value,
                                   std::size_t start) const {
  if (auto fit = fits(of, value, start); !fit)
    return failure(std::move(fit).error());
  std::uint8_t tag = der::utf8_string;
  if (of.known != nullptr && of.known->syntax != attribute_syntax::directory) {
    tag = of.known->syntax == attribute_syntax::ia5 ? der::ia5_string : der::printable_string;
  }
  return der::tlv(tag, as_bytes(value));
}

} // namespace

result<bytes> name_from_text(std::string_view text) { return name_parser(text).parse(); }

} // namespace pfx::crypto
