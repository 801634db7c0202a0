#include "controller/plan/binder.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>

#include <utility>
#include <vector>

#include "common/base/nearest.h"
#include "controller/engine/field_errors.h"
#include "controller/plan/scalars.h"

namespace headgate::plan {
namespace {

using engine::Quoted;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;

std::string Below(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

std::string Found(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::kScalar) return Quoted(node.text);
  return std::string(NameOf(node.kind));
}

std::vector<std::string> KnownKeys(const Descriptor& type) {
  std::vector<std::string> known;
  known.reserve(static_cast<std::size_t>(type.field_count()));
  for (int i = 0; i < type.field_count(); ++i) known.push_back(YamlName(*type.field(i)));
  return known;
}

class Binder {
 public:
  // `whole` is what the message is called; it has no path.
  Binder(const ShortForms& short_forms, std::string whole, Positions& positions, Problems& problems)
      : short_forms_(short_forms),
        whole_(std::move(whole)),
        positions_(positions),
        problems_(problems) {}

  void BindMap(const YamlNode& map, const std::string& path, Message& message);

 private:
  void BindField(const YamlNode& value, const FieldDescriptor& field, const std::string& path,
                 Message& message);
  void BindMessage(const YamlNode& value, const std::string& path, Message& message);
  void BindList(const YamlNode& list, const FieldDescriptor& field, const std::string& path,
                Message& message);
  void BindKeyedMap(const YamlNode& map, const FieldDescriptor& field, const std::string& path,
                    Message& message);
  void BindOne(const YamlNode& scalar, const FieldDescriptor& field, const std::string& path,
               Message& message);

  // The key's text if it is one and was not there before.
  bool TakeKey(const YamlNode& key, std::map<std::string, Position>& seen, std::string& name);
  void RefuseKey(const YamlNode& key, const std::string& name, const std::string& path,
                 const Descriptor& type);
  void Refuse(const YamlNode& node, const std::string& path, const std::string& wanted);
  void BindShortForm(const YamlNode& node, const std::string& path, Message& message);
  // What `path` is called in a message.
  std::string Named(const std::string& path) const { return path.empty() ? whole_ : path; }

  const ShortForms& short_forms_;
  const std::string whole_;
  Positions& positions_;
  Problems& problems_;
};

bool Binder::TakeKey(const YamlNode& key, std::map<std::string, Position>& seen,
                     std::string& name) {
  if (key.kind != YamlNode::Kind::kScalar) {
    problems_.Add(key.at, fmt::format("a key must be text, not {}", Found(key)));
    return false;
  }
  const auto [first, is_new] = seen.emplace(key.text, key.at);
  if (!is_new) {
    problems_.Add(key.at, fmt::format("key {} stands here again (first at {}:{}): remove one of "
                                      "the two",
                                      Quoted(key.text), first->second.line, first->second.column));
    return false;
  }
  name = key.text;
  return true;
}

void Binder::RefuseKey(const YamlNode& key, const std::string& name, const std::string& path,
                       const Descriptor& type) {
  const std::vector<std::string> known = KnownKeys(type);
  const std::string hint = DidYouMean(name, known);
  problems_.Add(key.at, hint.empty() ? fmt::format("unknown key {}: {} takes {}", Quoted(name),
                                                   Named(path), Join(known))
                                     : fmt::format("unknown key {}{}", Quoted(name), hint));
}

void Binder::Refuse(const YamlNode& node, const std::string& path, const std::string& wanted) {
  if (node.kind == YamlNode::Kind::kNull) {
    problems_.Add(node.at,
                  fmt::format("{} has no value: write {}, or remove the key", Named(path), wanted));
    return;
  }
  problems_.Add(node.at, fmt::format("{} is {}: write {}", Named(path), Found(node), wanted));
}

void Binder::BindMap(const YamlNode& map, const std::string& path, Message& message) {
  const Descriptor& type = *message.GetDescriptor();
  std::map<std::string, Position> seen;
  std::map<const OneofDescriptor*, std::string> chosen;
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    const YamlNode& key = map.keys[i];
    std::string name;
    if (!TakeKey(key, seen, name)) continue;
    const FieldDescriptor* field = nullptr;
    for (int k = 0; k < type.field_count(); ++k) {
      if (YamlName(*type.field(k)) == name) field = type.field(k);
    }
    if (field == nullptr) {
      RefuseKey(key, name, path, type);
      continue;
    }
    if (const OneofDescriptor* choice = field->real_containing_oneof()) {
      const auto [first, is_first] = chosen.emplace(choice, name);
      if (!is_first) {
        problems_.Add(key.at, fmt::format("{} stands beside {}: {} takes one of the two",
                                          Quoted(name), Quoted(first->second), Named(path)));
        continue;
      }
    }
    BindField(map.values[i], *field, Below(path, name), message);
  }
}

void Binder::BindField(const YamlNode& value, const FieldDescriptor& field, const std::string& path,
                       Message& message) {
  positions_.Record(path, value.at);
  if (field.is_map()) {
    BindKeyedMap(value, field, path, message);
    return;
  }
  if (field.is_repeated()) {
    BindList(value, field, path, message);
    return;
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    BindMessage(value, path, *message.GetReflection()->MutableMessage(&message, &field));
    return;
  }
  BindOne(value, field, path, message);
}

void Binder::BindMessage(const YamlNode& value, const std::string& path, Message& message) {
  if (message.GetDescriptor() == google::protobuf::Duration::descriptor()) {
    if (value.kind != YamlNode::Kind::kScalar) {
      Refuse(value, path, "a duration such as 500ms, 30s or 2m");
      return;
    }
    const absl::Status bound =
        BindDuration(value.text, static_cast<google::protobuf::Duration&>(message));
    if (!bound.ok())
      problems_.Add(value.at, fmt::format("{}: {}", path, std::string(bound.message())));
    return;
  }
  if (value.kind == YamlNode::Kind::kMap) {
    BindMap(value, path, message);
    return;
  }
  BindShortForm(value, path, message);
}

void Binder::BindShortForm(const YamlNode& node, const std::string& path, Message& message) {
  const Descriptor& type = *message.GetDescriptor();
  const auto form = short_forms_.find(type.full_name());
  if (form != short_forms_.end() && node.kind == YamlNode::Kind::kScalar && form->second.read) {
    const absl::Status read = form->second.read(node.text, message);
    if (!read.ok())
      problems_.Add(node.at, fmt::format("{}: {}", path, std::string(read.message())));
    return;
  }
  if (form != short_forms_.end() && node.kind == YamlNode::Kind::kList &&
      !form->second.list_field.empty()) {
    BindList(node, *type.FindFieldByName(form->second.list_field), path, message);
    return;
  }
  const std::vector<std::string> known = KnownKeys(type);
  const std::string map = fmt::format("a map with {}", Join(known));
  Refuse(node, path, form == short_forms_.end() ? map : form->second.example);
}

void Binder::BindList(const YamlNode& list, const FieldDescriptor& field, const std::string& path,
                      Message& message) {
  if (list.kind != YamlNode::Kind::kList) {
    Refuse(list, path,
           list.kind == YamlNode::Kind::kScalar ? fmt::format("a list, as in [{}]", list.text)
                                                : "a list");
    return;
  }
  for (std::size_t i = 0; i < list.values.size(); ++i) {
    const YamlNode& item = list.values[i];
    const std::string item_path = fmt::format("{}[{}]", path, i);
    positions_.Record(item_path, item.at);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      BindMessage(item, item_path, *message.GetReflection()->AddMessage(&message, &field));
    } else {
      BindOne(item, field, item_path, message);
    }
  }
}

void Binder::BindKeyedMap(const YamlNode& map, const FieldDescriptor& field,
                          const std::string& path, Message& message) {
  if (map.kind != YamlNode::Kind::kMap) {
    Refuse(map, path, "a map, as in {NAME: …}");
    return;
  }
  const FieldDescriptor& key_field = *field.message_type()->map_key();
  const FieldDescriptor& value_field = *field.message_type()->map_value();
  std::map<std::string, Position> seen;
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    std::string name;
    if (!TakeKey(map.keys[i], seen, name)) continue;
    Message& entry = *message.GetReflection()->AddMessage(&message, &field);
    BindOne(map.keys[i], key_field, path, entry);
    // Recorded with the key's place: that is where a person looks for the entry.
    positions_.Record(Below(path, name), map.keys[i].at);
    BindField(map.values[i], value_field, Below(path, name), entry);
  }
}

void Binder::BindOne(const YamlNode& scalar, const FieldDescriptor& field, const std::string& path,
                     Message& message) {
  if (scalar.kind != YamlNode::Kind::kScalar) {
    Refuse(scalar, path, "a single value");
    return;
  }
  const absl::Status bound = BindScalar(scalar, field, message);
  if (!bound.ok())
    problems_.Add(scalar.at, fmt::format("{}: {}", path, std::string(bound.message())));
}

}  // namespace

void Bind(const YamlNode& root, const ShortForms& short_forms, Message& message,
          Positions& positions, Problems& problems) {
  positions.Record("", Position{.line = 1, .column = 1});
  const bool is_plan = message.GetDescriptor()->name() == "Plan";
  if (root.kind != YamlNode::Kind::kMap) {
    problems.Add(root.at, fmt::format("a {} is a map that begins with `{}`, not {}",
                                      is_plan ? "plan" : "file of this kind",
                                      is_plan ? "gate: NAME"
                                              : YamlName(*message.GetDescriptor()->field(0)) + ":",
                                      NameOf(root.kind)));
    return;
  }
  Binder(short_forms, is_plan ? "the plan" : "the file", positions, problems)
      .BindMap(root, "", message);
}

}  // namespace headgate::plan
