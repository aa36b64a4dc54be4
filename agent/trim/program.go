package trim

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// area is a part of the address space.
type area struct{ from, to uintptr }

// forgetProgram lets go of the pages of the program's file that are mapped: most of them
// were needed to start. They stay in the page cache, where the kernel may take them back, and
// those that run are mapped again as they are needed (madvise(2), MADV_DONTNEED).
func forgetProgram() error {
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("look for the program in memory: %w", err)
	}
	defer file.Close()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("look for the program in memory: %w", err)
	}
	areas, err := cleanAreas(file, program)
	for _, a := range areas {
		_, _, no := unix.Syscall(unix.SYS_MADVISE, a.from, a.to-a.from, unix.MADV_DONTNEED)
		if no != 0 {
			err = errors.Join(err, fmt.Errorf("let go of the program in memory: %w", no))
		}
	}
	return err
}

// cleanAreas are those of a file that nobody can write to, and no page of which differs from
// the file, as relocations make them do: what is let go of has to be there to be read again.
func cleanAreas(smaps io.Reader, path string) (clean []area, err error) {
	var at area
	candidate := false
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) < 2:
		case !strings.HasSuffix(fields[0], ":"): // addresses, rights, offset, device, inode, name
			name := strings.Join(fields[min(5, len(fields)):], " ")
			candidate = name == path && strings.HasPrefix(fields[1], "r-")
			if at, err = parseArea(fields[0]); err != nil {
				return nil, err
			}
		case candidate && fields[0] == "Anonymous:" && fields[1] == "0":
			clean = append(clean, at)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read smaps: %w", err)
	}
	return clean, nil
}

func parseArea(text string) (a area, err error) {
	from, to, _ := strings.Cut(text, "-")
	const bits = int(8 * unsafe.Sizeof(a.from))
	first, err1 := strconv.ParseUint(from, 16, bits)
	last, err2 := strconv.ParseUint(to, 16, bits)
	if err := errors.Join(err1, err2); err != nil {
		return area{}, fmt.Errorf("read %q of smaps: %w", text, err)
	}
	return area{uintptr(first), uintptr(last)}, nil
}
