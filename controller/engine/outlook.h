// When those who wait may come back, as the controller's loop sees it now. Pure: any thread.
//
// An estimate by the pace so far, for people: nothing is decided by it. It says a share without a
// time wherever going on takes more than time: a preflight, a hold, a retreat and its cure, an
// approval, a share that has failed before, a check that is not healthy.
#pragma once

#include "common/base/outlook.h"
#include "controller/engine/state.h"

namespace headgate::engine {

Outlook OutlookOf(const State& state, const Gate& gate, TimePoint now);

}  // namespace headgate::engine
