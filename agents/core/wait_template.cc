#include "agents/core/wait_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "agents/core/page_check.h"
#include "common/base/text.h"

namespace headgate::agent {
namespace {

constexpr char kPlaces[] =
    "{{retry_after}}, {{share}} within {{#share}}…{{/share}}, {{time}} and {{zone}} within "
    "{{#time}}…{{/time}}; {{#soon}}…{{/soon}}, and each with ^ for where it is not so";

absl::Status Wrong(std::size_t line, const std::string& words) {
  return absl::InvalidArgumentError(fmt::format("line {}: {}", line, words));
}

std::size_t LineAt(const std::string& text, std::size_t at) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(at, text.size()));
  return 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
}

bool IsText(const std::string& text) {
  return text.find('\0') == std::string::npos && ValidUtf8(text) == text;
}

absl::Status CheckStandsAlone(const std::string& text) {
  const std::optional<PageFinding> found = FindExternal(text);
  return found ? Wrong(LineAt(text, found->at), found->words) : absl::OkStatus();
}

// Where a place or a section stands within a tag, only what is really sent tells.
absl::Status CheckSent(const WaitTemplate& page, Known known) {
  const std::string text = page.Text(known, {"12", "50", "18:25", "CEST"});
  const std::string where = known == Known::kSoon ? "where the next look decides (soon)"
                                                  : fmt::format("where {} is known", NameOf(known));
  if (const std::optional<PageFinding> found = FindExternal(text)) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", where, found->words));
  }
  if (ShowsSomething(text)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{} it shows nothing at all: write what people who wait are to read", where));
}

}  // namespace

const char* NameOf(Known known) {
  switch (known) {
    case Known::kSoon:
      return "soon";
    case Known::kNothing:
      return "nothing";
    case Known::kShare:
      return "share";
    case Known::kTime:
      return "time";
  }
  return "";
}

// One walk over the text, with the sections that are open.
class WaitTemplate::Reader {
 public:
  explicit Reader(const std::string& text) : text_(text) {}

  absl::StatusOr<std::vector<Piece>> Read() {
    while (at_ < text_.size()) {
      const std::size_t open = text_.find("{{", at_);
      Add({.literal = text_.substr(at_, open - at_)});
      if (open == std::string::npos) break;
      const std::size_t close = text_.find("}}", open);
      if (close == std::string::npos) return Wrong(LineAt(text_, open), "'{{' without its '}}'");
      const std::string tag = text_.substr(open + 2, close - open - 2);
      at_ = close + 2;
      if (absl::Status status = Take(tag); !status.ok()) {
        return Wrong(LineAt(text_, open), std::string(status.message()));
      }
    }
    if (sections_.empty()) return std::move(pieces_);
    return Wrong(LineAt(text_, text_.size()),
                 fmt::format("'{{{{{0}}}}}' does not end: write '{{{{/{1}}}}}'", sections_.back(),
                             sections_.back().substr(1)));
  }

 private:
  absl::Status Take(const std::string& tag) {
    const std::string name = tag.empty() ? "" : tag.substr(1);
    const bool is_section = name == "share" || name == "time" || name == "soon";
    if (is_section && (tag[0] == '#' || tag[0] == '^')) {
      sections_.push_back(tag);
      return absl::OkStatus();
    }
    if (is_section && tag[0] == '/') {
      if (sections_.empty() || sections_.back().substr(1) != name) {
        return absl::InvalidArgumentError(
            fmt::format("'{{{{{}}}}}' ends a section that is not the innermost open one", tag));
      }
      sections_.pop_back();
      return absl::OkStatus();
    }
    if (tag == "retry_after") return Put(Place::kRetryAfter, Known::kSoon, tag);
    if (tag == "share") return Put(Place::kShare, Known::kShare, tag);
    if (tag == "time") return Put(Place::kTime, Known::kTime, tag);
    if (tag == "zone") return Put(Place::kZone, Known::kTime, tag);
    return absl::InvalidArgumentError(fmt::format(
        "'{{{{{}}}}}' is no place of a waiting page: there are {}", tag.substr(0, 60), kPlaces));
  }

  // Whether what stands here stands in the text of `known`.
  bool Stands(Known known) const {
    return std::all_of(sections_.begin(), sections_.end(), [&](const std::string& section) {
      const std::string name = section.substr(1);
      const bool holds = name == "soon"   ? known == Known::kSoon
                         : name == "time" ? known >= Known::kTime
                                          : known >= Known::kShare;
      return holds == (section[0] == '#');
    });
  }

  absl::Status Put(Place place, Known least, const std::string& tag) {
    for (const Known known : kKnown) {
      if (known >= least || !Stands(known)) continue;
      return absl::InvalidArgumentError(
          fmt::format("'{{{{{0}}}}}' stands where it may not be known: put it into "
                      "'{{{{#{1}}}}}…{{{{/{1}}}}}'",
                      tag, NameOf(least)));
    }
    Add({.place = place});
    return absl::OkStatus();
  }

  void Add(Piece piece) {
    if (piece.place == Place::kNone && piece.literal.empty()) return;
    for (std::size_t i = 0; i < kKnown.size(); ++i) piece.stands[i] = Stands(kKnown[i]);
    pieces_.push_back(std::move(piece));
  }

  const std::string& text_;
  std::size_t at_ = 0;
  std::vector<std::string> sections_;
  std::vector<Piece> pieces_;
};

absl::StatusOr<WaitTemplate> WaitTemplate::Parse(const std::string& text) {
  if (text.size() > kTemplateBytesMax) {
    return absl::InvalidArgumentError(
        fmt::format("it has {} bytes, at most {}: HAProxy answers from one buffer", text.size(),
                    kTemplateBytesMax));
  }
  if (!IsText(text)) return absl::InvalidArgumentError("it is not UTF-8: save it as that");
  if (absl::Status status = CheckStandsAlone(text); !status.ok()) return status;
  absl::StatusOr<std::vector<Piece>> pieces = Reader(text).Read();
  if (!pieces.ok()) return pieces.status();
  WaitTemplate page;
  page.pieces_ = *std::move(pieces);
  for (const Known known : kKnown) {
    if (absl::Status status = CheckSent(page, known); !status.ok()) return status;
  }
  return page;
}

std::string WaitTemplate::Text(
    Known known, const WaitWords& words,
    const std::function<std::string(const std::string&)>& literal) const {
  std::string text;
  for (const Piece& piece : pieces_) {
    if (!piece.stands[static_cast<std::size_t>(known)]) continue;
    switch (piece.place) {
      case Place::kNone:
        text += literal ? literal(piece.literal) : piece.literal;
        break;
      case Place::kRetryAfter:
        text += words.retry_after;
        break;
      case Place::kShare:
        text += words.share;
        break;
      case Place::kTime:
        text += words.time;
        break;
      case Place::kZone:
        text += words.zone;
        break;
    }
  }
  return text;
}

}  // namespace headgate::agent
