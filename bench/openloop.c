/* Sends requests by the clock, whether or not the earlier ones are answered, and times each from the moment it was due: a server
 * that stands still for a while is charged with everybody who would have come meanwhile (coordinated omission).
 *   openloop PORT HOST RATE SECONDS CONNECTIONS
 * writes the microseconds of every request in the order of their answers, one a line. One thread, epoll, connections kept; each
 * has at most one request under way, and what is due while all are busy waits and is timed all the same. It sleeps until a
 * request is due instead of spinning, since the server asked may have to run on the same core. Answers must have a
 * Content-Length and come whole in 8 KB. Exits with 1 when a connection ends or an answer is not 200. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 512, ANSWER = 8192 };

struct connection {
  int fd, filled;
  long long due; /* of the request under way */
  char answer[ANSWER + 1];
};

static struct connection connections[MOST];
static int idle[MOST], idle_count;

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void give_up(const char *why) {
  fprintf(stderr, "openloop: %s\n", why);
  exit(1);
}

static int connect_to(int port) {
  struct sockaddr_in address = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {0}};
  int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) give_up("nobody listens");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

/* Whether an answer is there whole. */
static int is_whole(struct connection *c) {
  c->answer[c->filled] = 0;
  char *end = strstr(c->answer, "\r\n\r\n");
  if (end == NULL) return 0;
  if (strncmp(c->answer, "HTTP/1.1 200", 12) != 0) give_up("an answer is not 200");
  char *length = strcasestr(c->answer, "\ncontent-length:");
  if (length == NULL || length > end) give_up("an answer has no Content-Length");
  return c->filled >= end + 4 - c->answer + atoi(length + 16);
}

static int receive(struct connection *c) {
  ssize_t got = recv(c->fd, c->answer + c->filled, ANSWER - c->filled, MSG_DONTWAIT);
  if (got == 0 || c->filled + got >= ANSWER) give_up("a connection ended, or an answer is too long");
  if (got < 0) return 0;
  c->filled += got;
  return is_whole(c);
}

int main(int argc, char **argv) {
  if (argc != 6) give_up("use: openloop PORT HOST RATE SECONDS CONNECTIONS");
  int port = atoi(argv[1]), count = atoi(argv[5]);
  double rate = atof(argv[3]);
  long long total = rate * atof(argv[4]), sent = 0, done = 0;
  if (count < 1 || count > MOST || total < 1) give_up("the numbers are out of range");
  char request[512];
  int length = snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", argv[2]);
  long long *micros = calloc(total, sizeof *micros);
  prctl(PR_SET_TIMERSLACK, 1); /* By default the kernel wakes sleepers up to 50 microseconds late. */
  int polling = epoll_create1(EPOLL_CLOEXEC);
  for (int at = 0; at < count; at++) {
    connections[at].fd = connect_to(port);
    struct epoll_event event = {EPOLLIN, {.u32 = at}};
    epoll_ctl(polling, EPOLL_CTL_ADD, connections[at].fd, &event);
    idle[idle_count++] = at;
  }
  long long begun = now_ns() + 10000000;
  struct epoll_event events[MOST];
  while (done < total) {
    long long now = now_ns(), due = begun + (long long)(sent * 1e9 / rate);
    while (sent < total && due <= now && idle_count > 0) {
      struct connection *c = &connections[idle[--idle_count]];
      c->due = due;
      c->filled = 0;
      if (send(c->fd, request, length, MSG_NOSIGNAL) != length) give_up("a request could not be sent");
      sent++;
      due = begun + (long long)(sent * 1e9 / rate);
    }
    long long left = sent == total || idle_count == 0 ? 1000000000LL : due - now_ns();
    struct timespec wait = {left > 0 ? left / 1000000000LL : 0, left > 0 ? left % 1000000000LL : 0};
    int ready = epoll_pwait2(polling, events, MOST, &wait, NULL);
    for (int at = 0; at < ready; at++) {
      int which = events[at].data.u32;
      struct connection *c = &connections[which];
      if (!receive(c)) continue;
      micros[done++] = (now_ns() - c->due) / 1000;
      idle[idle_count++] = which;
    }
    if (now_ns() - begun > 60000000000LL + (long long)(total * 1e9 / rate)) give_up("answers are missing");
  }
  for (long long at = 0; at < total; at++) printf("%lld\n", micros[at]);
}
