// The socket: live fragments while it is open, a look every 15 s while it is not.
"use strict";
(() => {
  const { liveUrl, livePass, now } = document.body.dataset;
  let pass = livePass, since = now, socket, wait = 1, looking, missed = false;
  const poll = () => document.hidden || desk.catchUp();
  const lost = () => {
    desk.live = false;
    delete document.documentElement.dataset.live;
    missed = true;
    clearInterval(looking);
    looking = setInterval(poll, 15000);
    setTimeout(open, wait * 1000);
    wait = Math.min(60, wait * 2);
  };
  desk.look = () => {
    if (socket?.readyState !== 1) return;
    socket.send(JSON.stringify({ look: openTicket(), since }));
    since = undefined; // the first look asks for what came before we listened
  };
  async function open() {
    if (document.hidden && missed) return document.addEventListener("visibilitychange", open, { once: true });
    try {
      if (!pass) {
        const answer = await send("/live-pass");
        if (!answer.ok) throw new Error(answer.status);
        ({ pass } = await answer.json());
      }
      socket = new WebSocket(`${liveUrl}?pass=${encodeURIComponent(pass)}`);
    } catch {
      return lost();
    }
    pass = "";
    socket.onopen = () => {
      desk.live = true;
      document.documentElement.dataset.live = "";
      wait = 1;
      clearInterval(looking);
      desk.look();
      if (missed) desk.catchUp();
      missed = false;
    };
    socket.onmessage = ({ data }) => {
      desk.frame(JSON.parse(data));
    };
    socket.onclose = lost;
  }
  setInterval(() => document.hidden || desk.look(), 480000); // API Gateway closes what is silent for ten minutes
  open();
})();
