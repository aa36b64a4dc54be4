package host

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"time"
)

// GoingDown says whether the whole machine is being shut down, as systemd tells. It is
// asked once, when the agent is told to end.
func GoingDown(ctx context.Context) bool {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	// Its exit status is that of the system: the word counts.
	out, _ := exec.CommandContext(ctx, "systemctl", "is-system-running").Output()
	return strings.TrimSpace(string(out)) == "stopping"
}
