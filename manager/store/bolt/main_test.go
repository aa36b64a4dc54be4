package bolt

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		writeForever(dir)
	}
	if dir := os.Getenv(careDir); dir != "" {
		careForever(dir)
	}
	goleak.VerifyTestMain(m)
}
