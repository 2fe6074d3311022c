"A lesson of a few lines, for tests of what is done with a lesson's file."

SOUND = """
[[exercise]]
name = "six"
minutes = 2
task = "How many pixels has an image of 2 × 3?"
starter = '''
answer = ...
check("six", answer)
'''
solution = "answer = 2*3"
explanation = "Rows times columns."
hints = ["How many are there in one row?", "There are 2 rows of 3."]
learned = "you can count pixels."
[[exercise.mistake]]
name = "added"
code = "answer = 2+3"
says = "You added the sides."
[[exercise.mistake]]
name = "around"
code = "answer = 2*(2+3)"
says = "That is the way around it."
[[question]]
name = "rank"
kind = "choice"
asks = "What is the rank of an image?"
[[question.choice]]
text = "2"
right = true
says = "Rows and columns."
[[question.choice]]
text = "784"
says = "That is its number of pixels."
[[question]]
name = "half"
kind = "number"
asks = "What is the mean of 0 and 1?"
answer = 0.5
says = "Halfway."
otherwise = "Add and divide by 2."
[[question.mistake]]
answer = 1
says = "That is the sum."
"""

DOUBLE = """
[[exercise]]
name = "double"
minutes = 2
task = "Double it."
given = "some = torch.arange(6.).reshape(2, 3)"
starter = '''
def double(x):
    return ...

check("double", double)
'''
solution = '''
def double(x): return 2*x

answer = double
'''
inputs = "[(some,), (some+1,)]"
explanation = "Twice."
hints = ["Times what?", "Times 2."]
learned = "you can double."
seconds = 1
[[exercise.mistake]]
name = "squared"
code = "answer = lambda x: x*x"
says = "That is the square."
[[exercise.mistake]]
name = "no-such-axis"
code = "answer = lambda x: x.sum(7)"
says = "There is no axis 7."
[[exercise]]
name = "any-even"
minutes = 2
task = "Name an even number."
starter = '''
answer = ...
check("any-even", answer)
'''
solution = "answer = 4"
accepts = "answer%2==0"
otherwise = "That is not even."
explanation = "4 is 2 + 2."
hints = ["Halve it.", "4 is one."]
learned = "you know one."
[[exercise.mistake]]
name = "a-half"
code = "answer = 0.5"
when = "answer%1!=0"
says = "That is not even whole."
"""

AGENDA = """
[agenda]
exercises = ["six", "seven"]
long = [[5, "Check-in", "a"], [10, "What was hard", "b"], [15, "Demonstration", "c"], [10, "Predict first", "d"],
        [25, "Exercise in pairs", "e"], [20, "Discussion", "f"], [5, "Exit card", "g"]]
short = [[5, "Check-in", "a"], [35, "Exercise in pairs", "b"], [5, "Exit card", "c"]]
"""


def renamed(*names):
    "The exercise of SOUND under other names."
    return "".join(SOUND[SOUND.index("[[exercise]]"):SOUND.index("[[question]]")].replace('name = "six"', f'name = "{name}"') for name in names)
