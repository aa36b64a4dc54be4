package keeper

import (
	"fmt"
	"net"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Roles of this binary as a child process, by environment variable; the value is the data
// directory.
const (
	asVictim = "TEST_KEEPER_TO_KILL"
	asFull   = "TEST_KEEPER_ON_A_FULL_DISK"
)

// TestMain fails the suite for goroutines and file descriptors that stay.
func TestMain(m *testing.M) {
	if dir := os.Getenv(asVictim); dir != "" {
		liveUntilKilled(dir)
		return
	}
	if dir := os.Getenv(asFull); dir != "" {
		liveUntilFull(dir)
		return
	}
	if c, err := net.ListenPacket("udp4", "127.0.0.1:0"); err == nil { // the poller opens its descriptors
		_ = c.Close()
	}
	before := openFiles()
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if now := openFiles(); now > before && code == 0 {
		fmt.Fprintf(os.Stderr, "%d files are open, %d were before\n", now, before)
		code = 1
	}
	os.Exit(code)
}

func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	return len(entries) - 1 // but the one that reads them
}
