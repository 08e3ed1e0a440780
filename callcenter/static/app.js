/* Entry of the browser's part. Works without a build; every module does one thing. */
import { startArrows } from "./js/arrows.js";
import { startChoosing } from "./js/choose.js";
import { startClocks } from "./js/clocks.js";
import { startDrafts } from "./js/draft.js";
import { startFull } from "./js/full.js";
import { startKeys } from "./js/keys.js";
import { startLive } from "./js/live.js";
import { startMenus } from "./js/menus.js";
import { startPosts } from "./js/posts.js";
import { startQueue } from "./js/queue.js";
import { startScript } from "./js/script.js";
import { startSoftphone } from "./js/softphone.js";
import { startTicks } from "./js/ticks.js";

startPosts();
startDrafts();
startScript();
startMenus();
startChoosing();
startKeys();
startFull();
startClocks();
startSoftphone();
startTicks();
startQueue();
startArrows();
startLive();
if (document.querySelector("[data-chart]")) import("./js/charts.js").then((charts) => charts.startCharts());
