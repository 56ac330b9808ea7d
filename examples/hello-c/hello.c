/* Says hello on 127.0.0.1:$PORT: the smallest thing that can be woken. One process, one loop, no allocation.
 * Connections are kept open between requests and served side by side; a request with a body is answered and its connection
 * closed, since nothing here reads bodies. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 256, HEAD_BYTES = 8192 };

struct connection {
  size_t length;
  char head[HEAD_BYTES];
};

static struct pollfd polled[1 + MAX_CONNECTIONS];
static struct connection connections[1 + MAX_CONNECTIONS];
static volatile sig_atomic_t stopping = 0;

static void on_sigterm(int signal) {
  (void)signal;
  stopping = 1;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int listen_on(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int yes = 1;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("socket");
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
  if (listen(listener, SOMAXCONN) < 0) fail("listen");
  return listener;
}

static void drop(int slot) {
  close(polled[slot].fd);
  polled[slot].fd = -1;
}

static void take_connection(void) {
  int yes = 1;
  int slot = 1;
  while (slot <= MAX_CONNECTIONS && polled[slot].fd >= 0) slot++;
  int client = accept4(polled[0].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client < 0) return;
  if (slot > MAX_CONNECTIONS) {
    close(client);
    return;
  }
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  polled[slot] = (struct pollfd){.fd = client, .events = POLLIN};
  connections[slot].length = 0;
}

/* Returns 0 when the connection has to be closed. */
static int answer(int client, const char *head, int keep) {
  static const char body[] = "hello from C\n";
  char response[256];
  int with_body = strncmp(head, "HEAD ", 5) != 0;
  int length = snprintf(response, sizeof response,
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n%s\r\n%s", sizeof body - 1,
                        keep ? "" : "Connection: close\r\n", with_body ? body : "");
  /* It fits the empty send buffer of any client that reads; one that does not is let go. */
  return send(client, response, length, MSG_NOSIGNAL) == length && keep;
}

static int wants_to_stay(const char *head) {
  return strcasestr(head, "\r\nConnection: close") == NULL && strcasestr(head, "\r\nContent-Length:") == NULL &&
         strcasestr(head, "\r\nTransfer-Encoding:") == NULL && strstr(head, " HTTP/1.1\r\n") != NULL;
}

static void serve(int slot) {
  struct connection *c = &connections[slot];
  ssize_t got = recv(polled[slot].fd, c->head + c->length, HEAD_BYTES - 1 - c->length, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    drop(slot);
    return;
  }
  c->length += got;
  c->head[c->length] = '\0';
  char *end;
  while ((end = strstr(c->head, "\r\n\r\n")) != NULL) {
    size_t used = end + 4 - c->head;
    end[2] = '\0';
    if (!answer(polled[slot].fd, c->head, wants_to_stay(c->head))) {
      drop(slot);
      return;
    }
    c->length -= used;
    memmove(c->head, c->head + used, c->length + 1);
  }
  if (c->length == HEAD_BYTES - 1) drop(slot);
}

int main(void) {
  const char *port = getenv("PORT");
  if (port == NULL || atoi(port) <= 0 || atoi(port) > 65535) {
    fprintf(stderr, "PORT must be a number from 1 to 65535\n");
    return 1;
  }
  struct sigaction action = {.sa_handler = on_sigterm};
  sigset_t sigterm, none;
  sigemptyset(&none);
  sigemptyset(&sigterm);
  sigaddset(&sigterm, SIGTERM);
  /* Blocked but while waiting: a signal between the test of the flag and the wait would otherwise be slept through. */
  sigprocmask(SIG_BLOCK, &sigterm, NULL);
  sigaction(SIGTERM, &action, NULL);

  for (int slot = 1; slot <= MAX_CONNECTIONS; slot++) polled[slot].fd = -1;
  polled[0] = (struct pollfd){.fd = listen_on(atoi(port)), .events = POLLIN};
  printf("hello on port %s\n", port);
  fflush(stdout);

  while (!stopping) {
    if (ppoll(polled, 1 + MAX_CONNECTIONS, NULL, &none) < 0) continue;
    for (int slot = 1; slot <= MAX_CONNECTIONS; slot++) {
      if (polled[slot].fd >= 0 && polled[slot].revents != 0) serve(slot);
    }
    if (polled[0].revents != 0) take_connection();
  }
  return 0;
}
