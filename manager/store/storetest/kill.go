package storetest

import (
	"bufio"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Kill runs this test binary with more in its environment, and kills it a while after it
// said "round": where it stands then is chance.
func Kill(t *testing.T, after time.Duration, env ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "round\n" {
		t.Errorf("child: %q, %v", line, err)
	}
	time.Sleep(after)
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // killed
}
