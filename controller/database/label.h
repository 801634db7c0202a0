// How tables are called, in findings and wherever one is looked up by its name. Pure; any thread.
// Promises: two tables never have the same label: `"a.b".c` is not `a."b.c"`.
#pragma once

#include <string>
#include <string_view>

namespace headgate::database {

// "public.orders". A part that could be taken for two, or for the end of one, stands in double
// quotes.
std::string LabelOf(std::string_view schema, std::string_view table);

}  // namespace headgate::database
