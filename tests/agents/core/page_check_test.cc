// What a waiting page may not hold, in whatever writing.
#include "agents/core/page_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/core/wait_template.h"

namespace headgate::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// With something to see.
std::string ErrorOf(const std::string& text) {
  return std::string(WaitTemplate::Parse("<p>wait</p>" + text).status().message());
}

TEST(PageCheck, WhatABrowserFetchesByItselfIsRefused) {
  for (const char* text : {"<img src=\"/logo.png\">",
                           "<script src='https://cdn.example/a.js'></script>",
                           "<link rel=stylesheet href=/a.css>",
                           "<link rel=preconnect href=//cdn.example>",
                           "<link rel=icon href=/favicon.ico>",
                           "<IMG SRC = logo.png>",
                           "<img/src=logo.png>",
                           "<img alt='>' src=x.png>",
                           "<img src=\"&#104;ttps://cdn.example/a.png\">",
                           "<img src='\n//cdn.example/a.png'>",
                           "<iframe></iframe>",
                           "<iframe srcdoc=x></iframe>",
                           "<object data=a.svg></object>",
                           "<embed src=a.svg>",
                           "<base href=/>",
                           "<img srcset='a.png 2x'>",
                           "<img srcset='data:image/png;base64,AA 1x, a.png 2x'>",
                           "<source srcset=a.webp>",
                           "<link rel=preload imagesrcset='a.png 2x'>",
                           "<video poster=a.jpg></video>",
                           "<body background=a.jpg>",
                           "<html manifest=a.appcache>",
                           "<svg><image href=\"a.png\"/></svg>",
                           "<svg><image xlink:href='//cdn.example/a.png'/></svg>",
                           "<svg><use href='icons.svg#a'/></svg>",
                           "<svg><feImage href=a.png /></svg>",
                           "<svg><use><set attributeName=href to='icons.svg#a'/></use></svg>",
                           "<svg><rect fill=\"url(https://cdn.example/a.svg#g)\"/></svg>",
                           "<!--> <img src=a.png> -->",
                           "<p title='<!--'><img src=a.png>"}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr("would be loaded")) << text;
  }
}

TEST(PageCheck, WhatCssFetchesIsRefusedHoweverItIsWritten) {
  for (const char* css : {"@import 'a.css';",
                          "@IMPORT url(a.css);",
                          "@\\69mport 'a.css';",
                          "body{background:url(/b.jpg)}",
                          "body{background:url( \"//cdn.example/b.jpg\")}",
                          "body{background:URL('b.jpg')}",
                          "body{background:\\75rl(b.jpg)}",
                          "body{background:\\000075 rl(b.jpg)}",
                          "body{background:u\\72l(b.jpg)}",
                          "body{background:u\\rl(b.jpg)}",
                          "body{background:url(\\2f\\2f cdn.example/b.jpg)}",
                          "@font-face{font-family:a;src:url(a.woff2) format('woff2')}",
                          "@font-face{font-family:a;src:local(b),url(a.woff2)}",
                          "a{background:image-set('a.png' 1x, \"b.png\" 2x)}",
                          "a{background:-webkit-image-set(url(a.png) 1x)}",
                          "a{background:image-set(\"a.avif\" type('image/avif'))}",
                          "a{--b:'a.png';background:image-set(var(--b) 1x)}",
                          "a{background:image('a.png')}",
                          "a{background:src('a.png')}",
                          "a{content:'/*';background:url(a.png)/**/}",
                          "a{background:url(//cdn.example/*a*/b.png)}",
                          "/* x */a{cursor:url(a.cur),auto}",
                          "a{background:url(a.png",
                          "a{background:url(javascript:x)}"}) {
    EXPECT_THAT(ErrorOf("<style>" + std::string(css) + "</style>"), HasSubstr("would be loaded"))
        << css;
  }
  EXPECT_THAT(ErrorOf("<p style='background:u&#114;l(a.png)'>"), HasSubstr("would be loaded"));
  EXPECT_THAT(ErrorOf("<p style=\"background:\\75rl(a.png)\">"), HasSubstr("would be loaded"));
  EXPECT_THAT(ErrorOf("<svg><style>a{fill:&#117;rl(a.svg)}</style></svg>"),
              HasSubstr("would be loaded"));
}

TEST(PageCheck, WhatRunsIsRefused) {
  for (const char* text :
       {"<script>fetch('/')</script>", "<body onload=\"location='//other.example'\">",
        "<IMG src='data:,' OnError=alert(1)>", "<svg/onload=a()>",
        "<a href=\"javascript:alert(1)\">x</a>", "<a href=' java&Tab;script:alert(1)'>x</a>"}) {
    EXPECT_THAT(ErrorOf(text), AllOf(HasSubstr("is a script"), HasSubstr("leave it out"))) << text;
  }
}

TEST(PageCheck, WhatLeadsOrReportsElsewhereIsRefused) {
  for (const char* text :
       {"<meta http-equiv=refresh content='5;url=https://other.example/'>",
        "<meta http-equiv=\"Refresh\" content=\"{{retry_after}}; URL = '//other.example'\">",
        "<meta http-equiv=refresh content='0,\\\\other.example'>",
        "<meta content='0;url=ht&#10;tps:other' http-equiv=refresh>",
        "<meta http-equiv=refresh content='0;url=data:text/html,x'>"}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr("would lead everybody who waits elsewhere")) << text;
  }
  EXPECT_THAT(ErrorOf("<a href=/ ping='https://other.example'>x</a>"),
              HasSubstr("would report who follows the link"));
  for (const char* text : {"<form action=https://other.example></form>", "<form action=/go></form>",
                           "<form><button formaction='//other.example'>x</button></form>"}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr("would send what people write")) << text;
  }
}

TEST(PageCheck, WhatStandsInThePageAndLinksThatPeopleFollowAreRight) {
  for (const char* text :
       {"<img src=\"data:image/png;base64,AAAA\">",
        "<img src = data:image/gif;base64,AA>",
        "<img srcset='data:image/png;base64,AA 1x, data:image/png;base64,BB 2x'>",
        "<style>body{background:url('data:image/png;base64,AA')}</style>",
        "<style>@font-face{font-family:a;src:url(data:font/woff2;base64,AA) "
        "format('woff2')}</style>",
        "<style>a{background:image-set('data:image/png;base64,AA' type('image/png') 1x)}</style>",
        "<style>/* was: url(/a.png) */a{background:none}</style>",
        "<style>a{background-image:linear-gradient(red,blue);width:calc(1px + 2px)}</style>",
        "<style>a{content:'(';color:var(--b)}</style>",
        "<link rel=icon href='data:,'>",
        "<a href=\"https://status.example\">status</a>",
        "<a href='mailto:help@shop.example'>h</a>",
        "<svg><path d=\"M0 0\"/></svg>",
        "<svg><a xlink:href='https://status.example'>x</a></svg>",
        "<svg><rect fill='url(#g)'/><use href='#a'/></svg>",
        "<meta http-equiv=refresh content='{{retry_after}}'>",
        "<meta http-equiv=refresh content='{{retry_after}};url=/'>",
        "<meta name=description content='url(a.png), http://shop.example'>",
        "<!-- <img src=a.png> <script></script> -->",
        "<title><img src=a.png></title>",
        "<p>url(a.png) src=b.png</p>",
        "<form><button>x</button></form>",
        "a < b > c",
        "<p class='{{#share}}in{{/share}}'>"}) {
    EXPECT_EQ(ErrorOf(text), "") << text;
  }
}

TEST(PageCheck, AFindingNamesTheLineTheValueAndWhatToWrite) {
  EXPECT_THAT(ErrorOf("\n<style>\na{}\nb{background:url(/b.jpg)}</style>"),
              AllOf(HasSubstr("line 4: 'url(/b.jpg)' would be loaded"), HasSubstr("data:")));
  EXPECT_THAT(ErrorOf("\n\n<img\n alt=a\n src='/a.png'>"),
              HasSubstr("line 5: 'src=\"/a.png\"' would be loaded"));
  EXPECT_THAT(ErrorOf("\n<p onclick='a()'>"), HasSubstr("line 2: 'onclick=\"a()\"' is a script"));
}

TEST(PageCheck, WhatSectionsPutTogetherIsRefusedToo) {
  EXPECT_THAT(ErrorOf("<img s{{#share}}{{/share}}rc=a.png>"), HasSubstr("would be loaded"));
  EXPECT_THAT(ErrorOf("<img {{#time}}src={{time}}{{/time}}>"),
              HasSubstr("where time is known: 'src=\"18:25\"' would be loaded"));
}

}  // namespace
}  // namespace headgate::agent
