// docs/PLAN.md cannot rot: it names every key of the schema, and its example is a plan.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "controller/plan/plan.h"
#include "controller/plan/scalars.h"
#include "tests/support/places.h"

namespace headgate::plan {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::string Page() {
  std::ifstream file(InSources("docs/PLAN.md"));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Every message of plan.proto that can be reached from Plan.
void Reach(const Descriptor& type, std::set<const Descriptor*>& reached) {
  if (type.file() != v1::Plan::descriptor()->file() || !reached.insert(&type).second) return;
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->message_type() != nullptr) Reach(*type.field(i)->message_type(), reached);
  }
}

TEST(PlanPage, NamesEveryKeyAndEveryWord) {
  const std::string page = Page();
  ASSERT_FALSE(page.empty());
  std::set<const Descriptor*> reached;
  Reach(*v1::Plan::descriptor(), reached);
  EXPECT_GE(reached.size(), 18U);
  for (const Descriptor* type : reached) {
    if (type->options().map_entry()) continue;
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor& field = *type->field(i);
      EXPECT_NE(page.find("`" + YamlName(field) + "`"), std::string::npos)
          << type->name() << "." << YamlName(field) << " is not on the page";
      if (field.enum_type() == nullptr) continue;
      for (const std::string& word : NamesOf(*field.enum_type())) {
        EXPECT_NE(page.find("`" + word + "`"), std::string::npos)
            << field.enum_type()->name() << "." << word << " is not on the page";
      }
    }
  }
}

TEST(PlanPage, ItsExamplesArePlans) {
  const std::string page = Page();
  constexpr std::string_view kFence = "```yaml\n";
  int examples = 0;
  for (std::size_t at = page.find(kFence); at != std::string::npos;
       at = page.find(kFence, at + 1)) {
    const std::size_t begin = at + kFence.size();
    const auto plan = LoadPlan(page.substr(begin, page.find("```", begin) - begin), "PLAN.md");
    EXPECT_TRUE(plan.ok()) << plan.status();
    ++examples;
  }
  EXPECT_GE(examples, 1);
}

}  // namespace
}  // namespace headgate::plan
