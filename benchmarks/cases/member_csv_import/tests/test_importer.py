from importer import Report, import_members


class Directory(list):
    def add(self, member):
        self.append(member)


def test_rows_are_cleaned():
    directory = Directory()

    report = import_members("number,name,since\n 7 , Ada ,\n", directory)

    assert [{"number": 7, "name": "Ada", "since": None}] == directory
    assert "1 members imported" == str(report)


def test_a_report_with_problems_lists_them():
    assert "3 members imported, 1 not:\nline 2: x" == str(Report(3, ["line 2: x"]))
