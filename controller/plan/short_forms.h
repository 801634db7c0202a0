// The short forms of plan.proto's messages ("In YAML: …"), for the binder.
#pragma once

#include "controller/plan/binder.h"

namespace headgate::plan {

ShortForms PlanShortForms();

}  // namespace headgate::plan
