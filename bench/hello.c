/* The smallest server there is, for measuring what starting it costs: it listens where it is told, on the socket it inherits
 * (LISTEN_FDS), at $SOCKET_PATH or on 127.0.0.1:$PORT, and answers every head it reads with the same bytes. Linked statically,
 * so that the loader has no part in the times. Where $WATCH is a unix socket, it says its $NAME there, and when SIGTERM comes
 * the time of CLOCK_MONOTONIC in nanoseconds; then it ends, which closes that connection. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 512 };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";

static int listen_at(const struct sockaddr *address, socklen_t length) {
  int yes = 1, listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, address, length) < 0 || listen(listener, SOMAXCONN) < 0) exit(1);
  return listener;
}

static int find_listener(void) {
  if (getenv("LISTEN_FDS") != NULL) return 3;
  const char *path = getenv("SOCKET_PATH"), *port = getenv("PORT");
  if (path != NULL) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    return listen_at((struct sockaddr *)&address, sizeof address);
  }
  if (port == NULL) exit(2);
  struct sockaddr_in address = {AF_INET, htons(atoi(port)), {htonl(INADDR_LOOPBACK)}, {0}};
  return listen_at((struct sockaddr *)&address, sizeof address);
}

/* Heads of a client that measures come whole and have no body; one that is cut is answered all the same. */
static int serve(int client) {
  char head[4096];
  ssize_t got = read(client, head, sizeof head);
  return got > 0 && write(client, answer, sizeof answer - 1) == sizeof answer - 1;
}

static int watch = -1;

static void say(const char *text, int length) {
  if (write(watch, text, length) != length) _exit(4);
}

static void on_term(int signal) {
  struct timespec now;
  char line[64];
  (void)signal;
  clock_gettime(CLOCK_MONOTONIC, &now);
  say(line, snprintf(line, sizeof line, "%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec));
  _exit(0);
}

static void begin_watch(void) {
  const char *path = getenv("WATCH"), *name = getenv("NAME");
  if (path == NULL || name == NULL) return;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  watch = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(watch, (struct sockaddr *)&address, sizeof address) < 0) exit(5);
  say(name, strlen(name));
  say("\n", 1);
  signal(SIGTERM, on_term);
}

int main(void) {
  begin_watch();
  struct pollfd polled[1 + MOST] = {{find_listener(), POLLIN, 0}};
  int count = 1, yes = 1;
  for (;;) {
    if (poll(polled, count, -1) < 0) return 3;
    for (int at = count - 1; at > 0; at--) {
      if (polled[at].revents == 0 || serve(polled[at].fd)) continue;
      close(polled[at].fd);
      polled[at] = polled[--count];
    }
    if (polled[0].revents == 0 || count > MOST) continue;
    int client = accept4(polled[0].fd, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) continue;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    polled[count++] = (struct pollfd){client, POLLIN, 0};
  }
}
