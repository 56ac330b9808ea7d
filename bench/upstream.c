/* What the proxies are compared on: an HTTP/1.1 server on 127.0.0.1:$PORT that costs next to nothing. GET / is answered with six
 * bytes, GET /N with N bytes, and a body that is sent is read to its end and counted. One thread, epoll, connections kept.
 * A head has to arrive within 8 KB, and bodies have to have a Content-Length: the clients that measure send no others. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD = 8192, PIECE = 65536, MOST = 1024 };

struct connection {
  int fd, filled;
  char head[HEAD + 1];
  long long to_read, body; /* of the request: left, and whole */
  long long to_write;      /* of the answer's body */
  char answer[256];        /* head of the answer, and what is short */
  int answer_length, answered;
};

static char zeros[PIECE], sink[PIECE];
static int polling;

static int listen_here(void) {
  const char *port = getenv("PORT");
  if (port == NULL) exit(2);
  struct sockaddr_in address = {AF_INET, htons(atoi(port)), {htonl(INADDR_LOOPBACK)}, {0}};
  int yes = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, SOMAXCONN) < 0) exit(1);
  return listener;
}

static void prepare_answer(struct connection *c, long long length) {
  const char *text = length < 0 ? "hello\n" : "";
  c->to_write = length < 0 ? 0 : length;
  c->answered = 0;
  c->answer_length = snprintf(c->answer, sizeof c->answer,
                              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %lld\r\n\r\n%s",
                              length < 0 ? 6 : length, text);
}

static void prepare_count(struct connection *c) {
  char number[32];
  int length = snprintf(number, sizeof number, "%lld\n", c->body);
  c->to_write = c->answered = 0;
  c->answer_length = snprintf(c->answer, sizeof c->answer,
                              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", length, number);
}

/* Takes a head off what has come, once it is whole. */
static int take_head(struct connection *c) {
  c->head[c->filled] = 0;
  char *end = strstr(c->head, "\r\n\r\n");
  if (end == NULL) return c->filled < HEAD ? 0 : -1;
  *end = 0;
  int used = end + 4 - c->head;
  char *length = strcasestr(c->head, "\ncontent-length:");
  char *path = strchr(c->head, ' ');
  if (path == NULL) return -1;
  c->body = length == NULL ? 0 : atoll(length + 16);
  if (c->body == 0) prepare_answer(c, path[1] == '/' && path[2] >= '0' && path[2] <= '9' ? atoll(path + 2) : -1);
  int rest = c->filled - used;
  long long here = rest < c->body ? rest : c->body;
  memmove(c->head, c->head + used + here, rest - here);
  c->filled = rest - here;
  c->to_read = c->body - here;
  if (c->body > 0 && c->to_read == 0) prepare_count(c);
  return 1;
}

/* 1 while there is more to do at once, 0 when the socket has to be waited for, -1 when the connection is over. */
static int step(struct connection *c) {
  if (c->to_read > 0) {
    ssize_t got = read(c->fd, sink, c->to_read < PIECE ? c->to_read : PIECE);
    if (got <= 0) return got == 0 ? -1 : 0;
    if ((c->to_read -= got) == 0) prepare_count(c);
    return 1;
  }
  if (c->answered < c->answer_length) {
    ssize_t sent = send(c->fd, c->answer + c->answered, c->answer_length - c->answered, MSG_NOSIGNAL);
    if (sent < 0) return 0;
    c->answered += sent;
    return 1;
  }
  if (c->to_write > 0) {
    ssize_t sent = send(c->fd, zeros, c->to_write < PIECE ? c->to_write : PIECE, MSG_NOSIGNAL);
    if (sent < 0) return 0;
    c->to_write -= sent;
    return 1;
  }
  c->answer_length = c->answered = 0;
  if (c->filled > 0) {
    int taken = take_head(c);
    if (taken != 0) return taken;
  }
  ssize_t got = read(c->fd, c->head + c->filled, HEAD - c->filled);
  if (got <= 0) return got == 0 ? -1 : 0;
  c->filled += got;
  return take_head(c) < 0 ? -1 : 1;
}

static void welcome(int listener) {
  int yes = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  struct connection *c = calloc(1, sizeof *c);
  if (c == NULL) exit(3);
  c->fd = fd;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, {c}};
  epoll_ctl(polling, EPOLL_CTL_ADD, fd, &event);
}

int main(void) {
  int listener = listen_here();
  struct epoll_event event = {EPOLLIN, {NULL}}, events[MOST];
  polling = epoll_create1(EPOLL_CLOEXEC);
  epoll_ctl(polling, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(polling, events, MOST, -1);
    for (int at = 0; at < count; at++) {
      struct connection *c = events[at].data.ptr;
      if (c == NULL) {
        welcome(listener);
        continue;
      }
      int more = events[at].events & (EPOLLERR | EPOLLHUP) ? -1 : 1;
      while (more > 0) more = step(c);
      if (more == 0) continue;
      close(c->fd);
      free(c);
    }
  }
}
