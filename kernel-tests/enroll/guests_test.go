package enroll

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"cassini/kernel-tests/internal/debian"
	"cassini/kernel-tests/internal/guest"
	"cassini/kernel-tests/internal/initramfs"

	"golang.org/x/sys/unix"
)

// inMachines is the kernel of the virtual machines, or nothing: such tests fetch and emulate.
const inMachines = "CASSINI_MACHINES"

// image is what all virtual machines of a test boot: the same kernel, initramfs and machine-id,
// and a disk that has nothing on it.
type image struct {
	qemu                    debian.QEMU
	kernel, initramfs, disk string
}

// newImage makes one, or leaves the test out.
func newImage(t *testing.T) *image {
	t.Helper()
	series := os.Getenv(inMachines)
	if series == "" {
		t.Skip("SKIPPED: boots virtual machines; run it with: make test-machines")
	}
	dir := t.TempDir()
	i := &image{kernel: filepath.Join(dir, "kernel"), initramfs: filepath.Join(dir, "initramfs"), disk: filepath.Join(dir, "disk")}
	if err := errors.Join(i.fetch(t.Context(), series), i.makeDisk()); err != nil {
		t.Fatalf("NOT RUN: no virtual machines with Linux %s: %v", series, err)
	}
	return i
}

// fetch takes what others may replace in the cache meanwhile, and lets them have it again.
func (i *image) fetch(ctx context.Context, series string) error {
	cache, err := debian.CacheDir()
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	lock, err := debian.Lock(cache, logger)
	if err != nil {
		return err
	}
	defer lock.Close()
	fetcher := &debian.Fetcher{Dir: cache, Logger: logger}
	if i.qemu, err = fetcher.QEMU(ctx, "amd64"); err != nil {
		return err
	}
	kernel, err := fetcher.Kernel(ctx, series, "amd64")
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(kernel.Image)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(i.kernel, raw, 0o600), i.pack(ctx, kernel))
}

// pack writes the initramfs.
func (i *image) pack(ctx context.Context, kernel debian.Kernel) error {
	modules, err := initramfs.Modules(kernel, "virtio_net", "virtio_blk", "ext4")
	if err != nil {
		return err
	}
	const path = "/cassini/guest"
	plan := guest.Plan{Output: "/dev/ttyS1", Tests: []guest.Test{{Name: "guest", Path: path, Timeout: time.Hour}}}
	var files []initramfs.File
	for _, m := range modules {
		files = append(files, m.File)
		plan.Modules = append(plan.Modules, m.Path)
	}
	for _, program := range []struct{ pkg, at string }{
		{"cassini/kernel-tests/vm/init", "/init"}, {"cassini/kernel-tests/enroll/guest", path}, {"cassini/cmd/cassini", "/usr/bin/cassini"},
	} {
		f, err := compiled(ctx, program.pkg, program.at)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	raw, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	return initramfs.Write(i.initramfs, append(files, initramfs.File{Path: guest.PlanPath, Mode: 0o644, Data: raw}))
}

// compiled is a program for the machine: the binary under test where that runs there.
func compiled(ctx context.Context, pkg, at string) (initramfs.File, error) {
	if pkg == "cassini/cmd/cassini" && runtime.GOARCH == "amd64" {
		raw, err := os.ReadFile(binary)
		if err == nil && initramfs.CheckProgram(raw, "amd64") == nil {
			return initramfs.File{Path: at, Mode: 0o755, Data: raw}, nil
		}
	}
	return initramfs.Build(ctx, pkg, "amd64", at)
}

func (i *image) makeDisk() error {
	disk, err := os.Create(i.disk)
	if err == nil {
		err = errors.Join(disk.Truncate(64<<20), disk.Close())
	}
	if err != nil {
		return err
	}
	if out, err := exec.Command("/usr/sbin/mkfs.ext4", "-q", "-F", i.disk).CombinedOutput(); err != nil {
		return fmt.Errorf("make a file system: %w: %s", err, out)
	}
	return nil
}

// virtual is a virtual machine: what its hypervisor gives it.
type virtual struct {
	r     *rig
	image *image
	at    string // what it is called here
	name  string // host name
	uuid  string // of its board
	mac   string // of its card
	addr  string
	token string
	disk  string
}

// newVirtual is one with an empty disk of its own.
func (r *rig) newVirtual(i *image, at string, v virtual) virtual {
	r.t.Helper()
	v.r, v.image, v.at, v.disk = r, i, at, filepath.Join(r.dir, at+".disk")
	v.copyDisk(i.disk)
	return v
}

func (v virtual) copyDisk(from string) {
	v.r.t.Helper()
	if out, err := exec.Command("cp", "--sparse=always", from, v.disk).CombinedOutput(); err != nil {
		v.r.t.Fatalf("copy a disk: %v: %s", err, out)
	}
}

func (v virtual) control() string { return filepath.Join(v.r.dir, v.at+".qmp") }

// start boots it, or has it go on where another one was stopped, by what more says.
func (v virtual) start(more ...string) {
	v.r.t.Helper()
	tap, err := v.r.estate.Tap(1, v.at)
	if err != nil {
		v.r.t.Fatal(err)
	}
	defer tap.Close() // QEMU has its own
	boot := []string{
		"console=ttyS0 rdinit=/init panic=-1 oops=panic mitigations=off random.trust_cpu=on no_timer_check",
		"cassini.host=" + v.name, "cassini.address=" + v.addr + "/24", "cassini.gateway=" + v.r.estate.Hosts()[0].Gateway.String(),
		"cassini.manager=" + v.r.url(), "cassini.token=" + v.token,
	}
	qemu := v.image.qemu.Command(context.Background(), append([]string{
		"-M", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "384", "-nodefaults", "-no-reboot", "-display", "none",
		"-kernel", v.image.kernel, "-initrd", v.image.initramfs, "-append", strings.Join(boot, " "),
		"-serial", "file:" + filepath.Join(v.r.dir, v.at+".console"), "-serial", "stdio",
		"-drive", "if=virtio,format=raw,file=" + v.disk,
		"-netdev", "tap,id=net,fd=3", "-device", "virtio-net-pci,netdev=net,romfile=,mac=" + v.mac,
		"-smbios", "type=1,uuid=" + v.uuid, "-qmp", "unix:" + v.control() + ",server=on,wait=off",
	}, more...)...)
	cmd := v.r.estate.Command(context.Background(), manager, qemu.Args...) // where that runs says nothing to the guest
	cmd.Env, cmd.ExtraFiles = qemu.Env, []*os.File{tap}
	v.r.launch(v.at, cmd)
}

// cut takes its power away.
func (v virtual) cut() { v.r.t.Helper(); v.r.stop(v.at, unix.SIGKILL) }
