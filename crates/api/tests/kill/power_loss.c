/* What a power loss leaves of a folder.
 *
 * Preloaded into a server, it keeps a second folder, the shadow, that holds what is certainly on disk: of each file what
 * was there when the server started, and what was written and then synced. The server works on its own folder and notices
 * nothing. After a SIGKILL a test takes the shadow for the folder: that is what is there after the power came back.
 *
 * POWER_LOSS_DATA is the folder, POWER_LOSS_SHADOW a copy of it made before the start. With POWER_LOSS_TORN=SEED some
 * sectors of some writes reach the shadow without a sync, as a disk may write them at any time and in any order.
 *
 * Known of a file, by device and inode: its path and the ranges that were written since its last sync. pwrite and write
 * add to them; fsync and fdatasync copy them, and the length. A new file is in the shadow once it is synced; removals and
 * renames are carried over at once. Not followed: memory maps (SQLite maps only its -shm, which it makes anew after a
 * crash; those files are passed over), and syncs of folders. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

struct range { off_t from, to; };
struct file {
    dev_t device;
    ino_t inode;
    char shadow[512];
    struct range *dirty;
    size_t count, room;
    struct file *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static const char *data, *shadow;
static unsigned int random_state; /* 0: nothing is torn */

static int (*real_open)(const char *, int, ...);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);
static int (*real_rename)(const char *, const char *);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);

__attribute__((constructor)) static void begin(void) {
    real_open = dlsym(RTLD_NEXT, "open");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_rename = dlsym(RTLD_NEXT, "rename");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    data = getenv("POWER_LOSS_DATA");
    shadow = getenv("POWER_LOSS_SHADOW");
    const char *torn = getenv("POWER_LOSS_TORN");
    random_state = torn ? (unsigned int)strtoul(torn, NULL, 10) : 0;
}

/* The shadow's path of a path in the folder; 0: it is none of ours. */
static int shadow_of(const char *path, char *into, size_t room) {
    if (!data || !shadow || strncmp(path, data, strlen(data)) || path[strlen(data)] != '/') return 0;
    size_t length = strlen(path);
    if (length >= 4 && !strcmp(path + length - 4, "-shm")) return 0;
    return (size_t)snprintf(into, room, "%s%s", shadow, path + strlen(data)) < room;
}

/* What is known of an open file. The lock is held. */
static struct file *file_of(int fd, struct stat *stat) {
    if (fstat(fd, stat) || !S_ISREG(stat->st_mode)) return NULL;
    struct file *file = files;
    while (file && (file->inode != stat->st_ino || file->device != stat->st_dev)) file = file->next;
    return file;
}

static int open_shadow(const struct file *file) { return real_open(file->shadow, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); }

/* Copies a range of the file into the shadow. The file is read through its own descriptor: closing another one would give
 * up the locks that SQLite has on it. */
static void copy(int fd, int to, struct range range) {
    static char buffer[1 << 16];
    while (range.from < range.to) {
        off_t left = range.to - range.from;
        size_t want = left < (off_t)sizeof buffer ? (size_t)left : sizeof buffer;
        ssize_t got = pread(fd, buffer, want, range.from);
        if (got <= 0 || real_pwrite(to, buffer, (size_t)got, range.from) != got) return;
        range.from += got;
    }
}

static void wrote(int fd, off_t from, ssize_t length) {
    int before = errno;
    struct stat stat;
    pthread_mutex_lock(&lock);
    struct file *file = length > 0 && files ? file_of(fd, &stat) : NULL;
    if (file) {
        struct range range = {from, from + length};
        struct range *last = file->count ? &file->dirty[file->count - 1] : NULL;
        if (last && last->to == from) {
            last->to = range.to;
        } else {
            if (file->count == file->room) {
                file->room = file->room ? file->room * 2 : 16;
                file->dirty = realloc(file->dirty, file->room * sizeof(struct range));
                if (!file->dirty) abort();
            }
            file->dirty[file->count++] = range;
        }
        /* One write in eight leaves some of its sectors of 512 bytes on the disk at once. */
        if (random_state && rand_r(&random_state) % 8 == 0) {
            int to = open_shadow(file);
            for (off_t at = from; to >= 0 && at < range.to; at += 512) {
                struct range sector = {at, at + 512 < range.to ? at + 512 : range.to};
                if (rand_r(&random_state) % 2) copy(fd, to, sector);
            }
            if (to >= 0) close(to);
        }
    }
    pthread_mutex_unlock(&lock);
    errno = before;
}

/* Before the real sync, so that what is answered after it is in the shadow. */
static void synced(int fd) {
    int before = errno;
    struct stat stat;
    pthread_mutex_lock(&lock);
    struct file *file = file_of(fd, &stat);
    int to = file ? open_shadow(file) : -1;
    if (to >= 0) {
        for (size_t n = 0; n < file->count; n++) copy(fd, to, file->dirty[n]);
        if (ftruncate(to, stat.st_size)) abort();
        close(to);
        file->count = 0;
    }
    pthread_mutex_unlock(&lock);
    errno = before;
}

static int opened(int fd, const char *path) {
    int before = errno;
    char at[512];
    struct stat stat;
    if (fd >= 0 && shadow_of(path, at, sizeof at) && !fstat(fd, &stat) && S_ISREG(stat.st_mode)) {
        pthread_mutex_lock(&lock);
        struct file *file = file_of(fd, &stat);
        if (!file) {
            if (!(file = calloc(1, sizeof *file))) abort();
            file->device = stat.st_dev;
            file->inode = stat.st_ino;
            file->next = files;
            files = file;
        }
        /* An inode that was given up may come again under another name. */
        if (strcmp(file->shadow, at)) file->count = 0;
        strcpy(file->shadow, at);
        pthread_mutex_unlock(&lock);
    }
    errno = before;
    return fd;
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return opened(real_open(path, flags, mode), path);
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

ssize_t pwrite(int fd, const void *from, size_t length, off_t at) {
    ssize_t done = real_pwrite(fd, from, length, at);
    wrote(fd, at, done);
    return done;
}
ssize_t pwrite64(int fd, const void *from, size_t length, off_t at) __attribute__((alias("pwrite")));

ssize_t write(int fd, const void *from, size_t length) {
    ssize_t done = real_write(fd, from, length);
    /* After it the offset is the end of what was written, appended or not. */
    off_t end = done > 0 && files ? lseek(fd, 0, SEEK_CUR) : -1;
    if (end >= 0) wrote(fd, end - done, done);
    return done;
}

int fsync(int fd) { synced(fd); return real_fsync(fd); }
int fdatasync(int fd) { synced(fd); return real_fdatasync(fd); }

int unlink(const char *path) {
    char at[512];
    if (shadow_of(path, at, sizeof at)) real_unlink(at);
    return real_unlink(path);
}

int rename(const char *from, const char *to) {
    char before[512], after[512];
    if (!shadow_of(from, before, sizeof before) || !shadow_of(to, after, sizeof after)) return real_rename(from, to);
    pthread_mutex_lock(&lock);
    real_rename(before, after);
    for (struct file *file = files; file; file = file->next)
        if (!strcmp(file->shadow, before)) strcpy(file->shadow, after);
    pthread_mutex_unlock(&lock);
    return real_rename(from, to);
}
