package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is a manager at work.
type process struct {
	cmd    *exec.Cmd
	url    string
	log    bytes.Buffer
	ended  chan struct{}
	result error // once it has ended
}

// start runs a manager on a data directory and waits until it answers.
func start(ctx context.Context, cfg config, dir, scheme string, flags ...string) (*process, error) {
	addr, err := free()
	if err != nil {
		return nil, err
	}
	p := &process{url: scheme + "://" + addr, ended: make(chan struct{})}
	if err := os.WriteFile(settings(dir), nil, 0o600); err != nil {
		return nil, fmt.Errorf("write an empty configuration: %w", err)
	}
	args := append([]string{"manager", "--config", settings(dir), "--data-dir", dir, "--listen", addr}, flags...)
	p.cmd = exec.Command(cfg.Binary, args...)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the manager: %w", err)
	}
	go func() {
		p.result = p.cmd.Wait()
		close(p.ended)
	}()
	err = p.ready(ctx, cfg.Ready)
	if err != nil && !errors.Is(err, errEnded) {
		err = errors.Join(err, p.stop())
	}
	return p, err
}

// settings is where the configuration is, which has nothing in it: that of this machine
// does not count.
func settings(dir string) string { return filepath.Join(dir, "empty.yaml") }

// errEnded says that the manager is not there any more.
var errEnded = errors.New("the manager ended")

// free is an address of loopback that nobody uses.
func free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// ready waits until questions can be answered, by the probe that load balancers ask too.
func (p *process) ready(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if strings.HasPrefix(p.url, "https:") {
		return p.listens(ctx)
	}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/-/ready", nil)
		if err != nil {
			return fmt.Errorf("ask whether the manager is ready: %w", err)
		}
		if resp, err := client.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := p.pause(ctx); err != nil {
			return err
		}
	}
}

// listens waits for a manager that answers nobody whom it does not know.
func (p *process) listens(ctx context.Context) error {
	for {
		var d net.Dialer
		if c, err := d.DialContext(ctx, "tcp", strings.TrimPrefix(p.url, "https://")); err == nil {
			return c.Close()
		}
		if err := p.pause(ctx); err != nil {
			return err
		}
	}
}

// pause waits a moment before the manager is asked again.
func (p *process) pause(ctx context.Context) error {
	select {
	case <-p.ended:
		return fmt.Errorf("%w: %w\n%s", errEnded, p.result, p.log.String())
	case <-ctx.Done():
		return fmt.Errorf("the manager does not answer: %w", context.Cause(ctx))
	case <-time.After(5 * time.Millisecond):
		return nil
	}
}

// stop ends the manager as systemd does, and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end the manager: %w", err)
	}
	<-p.ended
	if p.result != nil {
		return fmt.Errorf("%w: %w\n%s", errEnded, p.result, p.log.String())
	}
	return nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// disk is how much the files of a directory take, in bytes.
func disk(dir string) (size int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("measure the data directory: %w", err)
	}
	return size, nil
}
