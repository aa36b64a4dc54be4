package peer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// ErrNotInstalled says that there is no PostgreSQL to be started.
var ErrNotInstalled = errors.New("PostgreSQL is not installed")

// startPatience is how long a PostgreSQL may take to answer for the first time.
const startPatience = time.Minute

// cluster is a PostgreSQL that nobody else uses, on a Unix socket in a directory that goes
// with it.
type cluster struct {
	dir  string
	db   *sql.DB
	cmd  *exec.Cmd
	gone chan struct{} // closed when it has ended
}

// startCluster makes an empty one. It runs as whoever we are; root is the user that Debian's
// package made.
func startCluster(ctx context.Context, hosts int) (c *cluster, err error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	as, uid, gid, err := unprivileged()
	if err != nil {
		return nil, err
	}
	c = &cluster{gone: make(chan struct{})}
	if c.dir, err = os.MkdirTemp("", "graphbench-postgres-"); err != nil {
		return nil, fmt.Errorf("make a directory for PostgreSQL: %w", err)
	}
	if err := c.start(ctx, bin, as, uid, gid, hosts); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// binaries is where the newest PostgreSQL of Debian is.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("%w: nothing at /usr/lib/postgresql/*/bin (Debian package postgresql)", ErrNotInstalled)
	}
	best, newest := "", 0.0
	for _, f := range found {
		bin := filepath.Dir(f)
		if version, err := strconv.ParseFloat(filepath.Base(filepath.Dir(bin)), 64); err == nil && version > newest {
			best, newest = bin, version
		}
	}
	return best, nil
}

// unprivileged is whom it runs as; nil is who we are.
func unprivileged() (as *syscall.SysProcAttr, uid, gid int, err error) {
	if os.Getuid() != 0 {
		return nil, os.Getuid(), os.Getgid(), nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, 0, 0, fmt.Errorf("%w: root may not run it, and there is no user postgres: %w", ErrNotInstalled, err)
	}
	uid, err = strconv.Atoi(u.Uid)
	if err == nil {
		gid, err = strconv.Atoi(u.Gid)
	}
	if err != nil {
		return nil, 0, 0, fmt.Errorf("read the numbers of user postgres: %w", err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, uid, gid, nil
}

func (c *cluster) start(ctx context.Context, bin string, as *syscall.SysProcAttr, uid, gid, hosts int) error {
	if err := os.Chown(c.dir, uid, gid); err != nil {
		return fmt.Errorf("hand %s to PostgreSQL: %w", c.dir, err)
	}
	data := filepath.Join(c.dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = as, c.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("make a cluster of PostgreSQL: %w: %s", err, out)
	}
	args := []string{"-D", data, "-k", c.dir, "-h", ""}
	for _, setting := range settings(hosts) {
		args = append(args, "-c", setting)
	}
	log, err := os.Create(filepath.Join(c.dir, "log"))
	if err != nil {
		return fmt.Errorf("make PostgreSQL's log: %w", err)
	}
	defer log.Close()
	c.cmd = exec.Command(filepath.Join(bin, "postgres"), args...)
	c.cmd.SysProcAttr, c.cmd.Dir, c.cmd.Stderr = as, c.dir, log
	if err := c.cmd.Start(); err != nil {
		c.cmd = nil
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	go func() {
		defer close(c.gone)
		_ = c.cmd.Wait() // its log tells why
	}()
	return c.answers(ctx)
}

// settings let it hold everything in memory and lose everything with the machine.
func settings(hosts int) []string {
	return []string{
		fmt.Sprintf("shared_buffers=%dMB", 128+hosts/25), "work_mem=256MB", "maintenance_work_mem=512MB", "effective_cache_size=8GB",
		"random_page_cost=1.1", "jit=off", "fsync=off", "synchronous_commit=off", "max_wal_size=4GB", "max_connections=20",
		"dynamic_shared_memory_type=mmap",
	}
}

// answers waits until it does.
func (c *cluster) answers(ctx context.Context) (err error) {
	if c.db, err = sql.Open("postgres", "host="+c.dir+" user=postgres dbname=postgres sslmode=disable"); err != nil {
		return fmt.Errorf("open PostgreSQL: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		if err = c.db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-c.gone:
			text, _ := os.ReadFile(filepath.Join(c.dir, "log"))
			return fmt.Errorf("start PostgreSQL: it ended: %s", text)
		case <-ctx.Done():
			return fmt.Errorf("wait for PostgreSQL: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends it and removes all of it.
func (c *cluster) stop() (err error) {
	if c.db != nil {
		err = c.db.Close()
	}
	if c.cmd != nil {
		err = errors.Join(err, c.cmd.Process.Signal(syscall.SIGINT)) // fast shutdown
		<-c.gone
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}
