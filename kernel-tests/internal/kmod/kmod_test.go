package kmod

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module makes the smallest ELF file with a .modinfo section.
func module(info string) []byte {
	const header, section = 64, 64
	names := "\x00.modinfo\x00.shstrtab\x00"
	var b bytes.Buffer
	b.WriteString("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9))
	le := binary.LittleEndian
	for _, v := range []any{uint16(1), uint16(62), uint32(1), uint64(0), uint64(0), uint64(header), uint32(0),
		uint16(header), uint16(0), uint16(0), uint16(section), uint16(3), uint16(2)} {
		_ = binary.Write(&b, le, v)
	}
	data := uint64(header + 3*section)
	b.Write(make([]byte, section))
	for _, s := range []struct {
		name, kind uint32
		at, size   int
	}{{1, 1, int(data), len(info)}, {10, 3, int(data) + len(info), len(names)}} {
		for _, v := range []any{s.name, s.kind, uint64(0), uint64(0), uint64(s.at), uint64(s.size), uint32(0), uint32(0), uint64(1), uint64(0)} {
			_ = binary.Write(&b, le, v)
		}
	}
	b.WriteString(info + names)
	return b.Bytes()
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func tree(t *testing.T) *Tree {
	t.Helper()
	dir := t.TempDir()
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	_, _ = zip.Write(module("license=GPL\x00depends=inet-diag,low\x00"))
	_ = zip.Close()
	write(t, dir, "kernel/net/tcp_diag.ko.gz", zipped.Bytes())
	write(t, dir, "kernel/net/inet_diag.ko", module("depends=low,ext4\x00name=inet_diag\x00"))
	write(t, dir, "kernel/net/low.ko", module("softdep=pre: crc32c aes nothing post: broken\x00depends=\x00"))
	write(t, dir, "kernel/crypto/crc32c_generic.ko", module("depends=\x00"))
	write(t, dir, "kernel/crypto/aes.ko", module("depends=\x00"))
	write(t, dir, "kernel/net/broken.ko", []byte("not ELF"))
	write(t, dir, "kernel/net/orphan.ko", module("depends=nowhere\x00"))
	write(t, dir, "modules.builtin", []byte("kernel/fs/ext4/ext4.ko\n"))
	tree, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestClosure(t *testing.T) {
	modules, err := tree(t).Closure("tcp-diag", "low", "ext4")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range modules {
		names = append(names, m.Name)
		if !bytes.HasPrefix(m.Data, []byte("\x7fELF")) {
			t.Errorf("%s is not unpacked", m.Name)
		}
	}
	if got := strings.Join(names, " "); got != "crc32c_generic aes low inet_diag tcp_diag" {
		t.Errorf("order %q", got)
	}
}

func TestMissing(t *testing.T) {
	for _, name := range []string{"nowhere", "orphan"} {
		if _, err := tree(t).Closure(name); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tree(t).Closure("broken"); err == nil || !strings.Contains(err.Error(), "read module broken") {
		t.Errorf("broken: %v", err)
	}
}
