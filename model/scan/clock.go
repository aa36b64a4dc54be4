package scan

import "time"

// Clock is a moment in UTC as "2006-01-02", what stands between, "15:04:05" and perhaps up to
// nine digits of a fraction. time.Parse takes several times as long. It is false of all else.
func Clock[T string | []byte](text T, between byte) (t time.Time, ok bool) {
	if len(text) < len("2006-01-02T15:04:05") || text[4] != '-' || text[7] != '-' || text[10] != between || text[13] != ':' || text[16] != ':' {
		return t, false
	}
	year := digits(text[0:2])*100 + digits(text[2:4])
	month, day := digits(text[5:7]), digits(text[8:10])
	hour, minute, second := digits(text[11:13]), digits(text[14:16]), digits(text[17:19])
	nanos := fraction(text[19:])
	if min(year, month, day, hour, minute, second, nanos) < 0 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	return t, t.Day() == day // else the month has no such day, and it is one of the next
}

// bad is no part of a moment, even a hundred times.
const bad = -1 << 20

// digits are the number of two digits, or bad.
func digits[T string | []byte](two T) int {
	tens, ones := two[0]-'0', two[1]-'0'
	if tens > 9 || ones > 9 {
		return bad
	}
	return int(tens)*10 + int(ones)
}

// fraction are the nanoseconds of nothing or of a point and up to nine digits, or bad.
func fraction[T string | []byte](text T) (nanos int) {
	if len(text) == 0 {
		return 0
	}
	if text[0] != '.' || len(text) < len(".0") || len(text) > len(".000000000") {
		return bad
	}
	for i := 1; i < len(".000000000"); i++ {
		digit := byte(0)
		if i < len(text) {
			digit = text[i] - '0'
		}
		if digit > 9 {
			return bad
		}
		nanos = nanos*10 + int(digit)
	}
	return nanos
}
