package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Settings of the manager under churn: what is kept is kept so short that within the first
// third of a run as much is forgotten as comes.
const (
	churnLife   = 90 * time.Second // of a host, on average
	churnPause  = time.Second      // between two things that happen on a host, on average
	churnKeeps  = "1m"             // --retention-age, --forget-hosts-after and certificates
	churnKeys   = "5m"             // --ring-key-life
	churnSample = time.Minute
	leastChurn  = 3 * time.Minute
	// leastSamples give each third of a run one.
	leastSamples = 3
)

// churn is an estate whose hosts come and go, with all that is on them.
type churn struct {
	cfg     config
	p       *process
	dir     string // of the hosts' identities
	token   string
	members *members
	watch   *watcher
	living  sync.Map // of names of hosts that are up, to *liver

	joined, ended, reinstalled, renamed, told, refused atomic.Int64
}

// churns keeps a manager under churn, measures it each minute, and fails where anything
// grows that should not.
func churns(ctx context.Context, cfg config, out io.Writer) (err error) {
	dir, err := os.MkdirTemp(cfg.Dir, "churn")
	if err != nil {
		return fmt.Errorf("make a place for data: %w", err)
	}
	p, err := start(ctx, cfg, dir, "https", "--tls-name", "localhost", "--retention-age", churnKeeps, "--forget-hosts-after", churnKeeps,
		"--agent-certificate-life", churnKeeps, "--ring-key-life", churnKeys, "--max-dependencies", strconv.Itoa(20*cfg.Living))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	c := &churn{cfg: cfg, p: p, dir: filepath.Join(cfg.Dir, "hosts")}
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		return fmt.Errorf("make a place for hosts: %w", err)
	}
	if c.token, err = makeToken(ctx, withJoins(cfg, mostJoins), p, dir); err != nil {
		return err
	}
	if c.members, err = newMembers(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.members.close()) }()
	if c.watch, err = newWatcher(p, dir); err != nil {
		return err
	}
	return c.run(ctx, out)
}

// mostJoins is how many hosts may join by one token.
const mostJoins = 10_000

func withJoins(cfg config, n int) config {
	cfg.Joins = n
	return cfg
}

// run lets hosts live until the time is up, and looks at the manager meanwhile.
func (c *churn) run(ctx context.Context, out io.Writer) error {
	alive, end := context.WithCancelCause(ctx)
	defer end(nil)
	var work sync.WaitGroup
	for slot := range c.cfg.Living {
		work.Go(func() {
			r := rand.New(rand.NewPCG(c.cfg.Seed, uint64(slot)))
			if err := c.slot(alive, slot, r); err != nil && alive.Err() == nil {
				end(err)
			}
		})
	}
	samples, err := c.look(alive, out)
	if cause := context.Cause(alive); err == nil && cause != nil {
		err = cause
	}
	end(nil)
	work.Wait()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d hosts lived at one time; %d joined, %d ended, of which %d came back reinstalled and %d under another name; %d documents; %d deliveries were put off\n",
		c.cfg.Living, c.joined.Load(), c.ended.Load(), c.reinstalled.Load(), c.renamed.Load(), c.told.Load(), c.refused.Load())
	if err := judge(samples, out); err != nil && !c.cfg.Quick {
		return err
	}
	return nil
}

// look takes a sample each minute.
func (c *churn) look(ctx context.Context, out io.Writer) (samples []sample, err error) {
	begin := time.Now()
	tick := time.NewTicker(c.cfg.Sample)
	defer tick.Stop()
	fmt.Fprintln(out, c.watch.head())
	for len(samples) < leastSamples || time.Since(begin) < c.cfg.For-c.cfg.Sample/2 {
		select {
		case <-ctx.Done():
			return samples, context.Cause(ctx)
		case <-tick.C:
		}
		s, err := c.watch.sample(ctx)
		if err != nil {
			return samples, err
		}
		s.At = time.Since(begin)
		samples = append(samples, s)
		fmt.Fprintln(out, s.row())
		c.cfg.Log("%s", s.row())
	}
	return samples, nil
}
