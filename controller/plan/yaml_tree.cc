#include "controller/plan/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <optional>
#include <sstream>
#include <utility>

namespace headgate::plan {
namespace {

Position At(const YAML::Mark& mark) {
  return mark.is_null() ? Position{} : Position{.line = mark.line + 1, .column = mark.column + 1};
}

// Thrown through yaml-cpp's parser, which has no other way to stop, and caught in ReadYaml.
struct Refusal {
  Position at;
  std::string text;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  YamlNode TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(Begin(mark, "", anchor, YamlNode::Kind::kNull));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refusal{At(mark), "aliases (*name) are not used in plans: write the value itself"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = Begin(mark, tag, anchor, YamlNode::Kind::kScalar);
    node.text = value;
    node.is_quoted = tag == "!";
    Add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open_.push_back(Begin(mark, tag, anchor, YamlNode::Kind::kList));
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open_.push_back(Begin(mark, tag, anchor, YamlNode::Kind::kMap));
  }
  void OnMapEnd() override { Close(); }

 private:
  YamlNode Begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                 YamlNode::Kind kind) {
    if (anchor != YAML::NullAnchor) {
      throw Refusal{At(mark),
                    "anchors (&name) are not used in plans: write the value where it "
                    "is needed"};
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Refusal{At(mark), fmt::format("tags ({}) are not used in plans: remove it", tag)};
    }
    if (open_.size() >= kPlanDepthMax) {
      throw Refusal{At(mark), fmt::format("nested deeper than {} levels", kPlanDepthMax)};
    }
    if (++nodes_ > kPlanNodesMax) {
      throw Refusal{At(mark), fmt::format("more than {} values", kPlanNodesMax)};
    }
    YamlNode node;
    node.kind = kind;
    node.at = At(mark);
    return node;
  }

  void Close() {
    YamlNode node = std::move(open_.back());
    open_.pop_back();
    Add(std::move(node));
  }

  void Add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    YamlNode& parent = open_.back();
    const bool is_key =
        parent.kind == YamlNode::Kind::kMap && parent.keys.size() == parent.values.size();
    (is_key ? parent.keys : parent.values).push_back(std::move(node));
  }

  YamlNode root_;
  std::vector<YamlNode> open_;
  std::size_t nodes_ = 0;
};

// Where `text` stops being UTF-8 that a person could have typed.
std::optional<std::size_t> FindBadByte(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  std::size_t i = 0;
  while (i < text.size()) {
    const unsigned lead = byte(i);
    std::size_t length = 1;
    if (lead >= 0x80) {
      if (lead >= 0xC2 && lead <= 0xDF) length = 2;
      if (lead >= 0xE0 && lead <= 0xEF) length = 3;
      if (lead >= 0xF0 && lead <= 0xF4) length = 4;
      if (length == 1) return i;
    } else if (lead < 0x20 && lead != '\n' && lead != '\r' && lead != '\t') {
      return i;
    }
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80U) return i;
    }
    const bool is_overlong =
        (lead == 0xE0 && byte(i + 1) < 0xA0) || (lead == 0xF0 && byte(i + 1) < 0x90);
    const bool is_beyond =
        (lead == 0xED && byte(i + 1) > 0x9F) || (lead == 0xF4 && byte(i + 1) > 0x8F);
    if (is_overlong || is_beyond) return i;
    i += length;
  }
  return std::nullopt;
}

Position PositionOf(std::string_view text, std::size_t offset) {
  Position at{.line = 1, .column = 1};
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
  }
  return at;
}

// The first line at or before `last` that is indented with a tab: yaml-cpp calls it an illegal map
// value, which helps nobody.
std::optional<Position> FindTab(std::string_view text, int last) {
  int line = 1;
  for (std::size_t from = 0; from < text.size() && line <= last; ++line) {
    const std::size_t tab = text.find_first_not_of(' ', from);
    if (tab != std::string_view::npos && text[tab] == '\t') {
      return Position{.line = line, .column = static_cast<int>(tab - from) + 1};
    }
    const std::size_t end = text.find('\n', from);
    if (end == std::string_view::npos) break;
    from = end + 1;
  }
  return std::nullopt;
}

void RefuseSyntax(std::string_view text, const YAML::Exception& error, Problems& problems) {
  const Position at = At(error.mark);
  if (const auto tab = FindTab(text, at.line)) {
    problems.Add(*tab, "a tab indents this line: YAML takes spaces only");
    return;
  }
  problems.Add(at, fmt::format("not YAML ({}): look for a missing quote, bracket, colon or space",
                               error.msg));
}

YamlNode ReadDocument(std::string_view text, Problems& problems) {
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    TreeBuilder builder;
    if (!parser.HandleNextDocument(builder)) {
      problems.Add(Position{}, "the plan is empty: see docs/PLAN.md for an example");
      return YamlNode{};
    }
    YamlNode root = builder.TakeRoot();
    TreeBuilder second;
    if (parser.HandleNextDocument(second)) {
      problems.Add(second.TakeRoot().at,
                   "a second document begins here: a file holds one plan, remove the rest");
      return YamlNode{};
    }
    return root;
  } catch (const Refusal& refusal) {
    problems.Add(refusal.at, refusal.text);
  } catch (const YAML::Exception& error) {
    RefuseSyntax(text, error, problems);
  }
  return YamlNode{};
}

}  // namespace

std::string_view NameOf(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "text";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "nothing";
}

YamlNode ReadYaml(std::string_view text, Problems& problems) {
  if (text.size() > kPlanBytesMax) {
    problems.Add(Position{},
                 fmt::format("the plan is longer than {} KiB: shorten it", kPlanBytesMax / 1'024));
    return YamlNode{};
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    problems.Add(PositionOf(text, nul), "the plan holds a NUL byte: save the file as UTF-8 text");
    return YamlNode{};
  }
  if (const auto bad = FindBadByte(text)) {
    const auto byte = static_cast<unsigned char>(text[*bad]);
    problems.Add(PositionOf(text, *bad),
                 fmt::format("byte 0x{:02x} is {}", byte,
                             byte < 0x20 ? "a control character: remove it"
                                         : "not UTF-8 text: save the file as UTF-8"));
    return YamlNode{};
  }
  return ReadDocument(text, problems);
}

}  // namespace headgate::plan
