//go:build linux

// Command guest is what a virtual machine of these tests does once /init has loaded its modules:
// it takes the host name and the address that the kernel's command line gives it, mounts its disk,
// joins where it has not, and runs the agent, which is started again when it ends.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	program = "/usr/bin/cassini"
	data    = "/var/lib/cassini"
)

func main() {
	if err := live(); err != nil {
		fmt.Println("guest:", err)
		os.Exit(1)
	}
}

func live() error {
	given, err := parameters()
	if err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(given["host"])); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	if err := card(given["address"], given["gateway"]); err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(data, 0o700), unix.Mount("/dev/vda", data, "ext4", 0, "")); err != nil {
		return fmt.Errorf("mount the disk: %w", err)
	}
	if _, err := os.Stat(filepath.Join(data, "agent.pem")); errors.Is(err, os.ErrNotExist) {
		if err := run(given, "join", "--manager", given["manager"]); err != nil {
			return fmt.Errorf("join: %w", err)
		}
	}
	for {
		err := run(given, "agent", "--manager", given["manager"])
		fmt.Println("guest: the agent ended:", err)
		time.Sleep(time.Second) // as RestartSec of its unit
	}
}

func run(given map[string]string, args ...string) error {
	cmd := exec.Command(program, append(args, "--data-dir", data, "--config", os.DevNull)...)
	cmd.Env = append(os.Environ(), "CASSINI_TOKEN="+given["token"])
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	return cmd.Run()
}

// parameters are those of the kernel's command line that are meant for this program.
func parameters() (map[string]string, error) {
	line, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return nil, fmt.Errorf("read the kernel's command line: %w", err)
	}
	given := make(map[string]string)
	for word := range strings.FieldsSeq(string(line)) {
		if name, ok := strings.CutPrefix(word, "cassini."); ok {
			name, value, _ := strings.Cut(name, "=")
			given[name] = value
		}
	}
	return given, nil
}

// card brings the only network card up, with an address and a way to the manager.
func card(address, gateway string) error {
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("list network interfaces: %w", err)
	}
	addr, err := netlink.ParseAddr(address)
	if err != nil {
		return fmt.Errorf("read the address %q: %w", address, err)
	}
	for _, l := range links {
		if l.Type() != "device" || l.Attrs().Flags&net.FlagLoopback != 0 {
			continue
		}
		route := &netlink.Route{LinkIndex: l.Attrs().Index, Gw: net.ParseIP(gateway)}
		if err := errors.Join(netlink.AddrAdd(l, addr), netlink.LinkSetUp(l), netlink.RouteAdd(route)); err != nil {
			return fmt.Errorf("set up %s: %w", l.Attrs().Name, err)
		}
		return nil
	}
	return errors.New("there is no network card")
}
